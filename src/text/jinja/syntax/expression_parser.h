#pragma once

#include <string_view>

#include "text/jinja/syntax/postfix_parser.h"

namespace saescope::jinja {

/// Expressions, by Jinja's precedence.
class ExpressionParser : public PostfixParser {
 protected:
  using PostfixParser::PostfixParser;

  ExprPtr parse_expression(bool with_conditional = true) override;
  ExprPtr parse_conditional();
  ExprPtr parse_or();
  ExprPtr parse_and();
  ExprPtr parse_not();
  ExprPtr parse_compare();
  bool take_compare_op(CompareOp& op);
  ExprPtr parse_sum();
  ExprPtr parse_concat();
  ExprPtr parse_product();
  ExprPtr parse_power();
  ExprPtr parse_unary(bool with_filter = true);
  ExprPtr parse_primary() override;
  ExprPtr parse_name();
  ExprPtr parse_tuple(bool with_conditional = true, std::string_view end_name = {},
                      bool in_parentheses = false);
  bool at_tuple_end(std::string_view end_name) const;
  ExprPtr parse_list();
  ExprPtr parse_dict();
};

}  // namespace saescope::jinja
