#pragma once

#include <string>
#include <vector>

#include "text/jinja/syntax/parser_state.h"

namespace saescope::jinja {

/// What stands behind an expression: attributes, items, calls, filters and tests.
class PostfixParser : public ParserState {
 protected:
  using ParserState::ParserState;

  /// Any expression: inside of brackets, and as an argument.
  virtual ExprPtr parse_expression(bool with_conditional = true) = 0;
  /// An operand alone, as a test takes it.
  virtual ExprPtr parse_primary() = 0;

  /// @param below depth of the deepest child
  ExprPtr make(int line, int below, ExprNode node) const;
  static int depth_of(const ExprPtr& expr) { return expr == nullptr ? 0 : expr->depth; }
  static int depth_of(const std::vector<ExprPtr>& list);
  static int depth_of(const CallArguments& arguments);
  ExprPtr parse_postfix(ExprPtr node);
  ExprPtr parse_filters(ExprPtr node);
  ExprPtr parse_dot(ExprPtr object);
  ExprPtr parse_subscript(ExprPtr object);
  ExprPtr parse_slice(ExprPtr object, ExprPtr start, int line);
  ExprPtr parse_call(ExprPtr callee);
  CallArguments parse_call_arguments();
  void parse_call_argument(CallArguments& arguments, int line);
  std::string parse_dotted_name();
  ExprPtr parse_filter(ExprPtr input);
  ExprPtr parse_filter_chain();
  ExprPtr parse_test(ExprPtr input);
};

}  // namespace saescope::jinja
