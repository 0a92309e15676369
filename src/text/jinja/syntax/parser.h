#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/syntax/expression_parser.h"

namespace saescope::jinja {

/// Parses a whole template by the grammar of jinja2.parser.
/// @param source valid UTF-8
/// @param where the template's name, for messages
/// @throws InputError naming what is not understood and its line; filters and tests that do not
///         exist are refused too, but inside `if` only when they are reached, as Jinja does.
Template parse_template(std::string_view source, std::string_view where);

/// The recursive descent over the tokens: statements, which hold expressions.
class Parser final : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;
  Template parse();

 private:
  /// @param opened line of the tag that opened the block
  Body parse_body(std::initializer_list<std::string_view> end_tags, int opened);
  Body parse_block(std::initializer_list<std::string_view> end_tags);
  void parse_statement(Body& out);
  bool parse_block_statement(const std::string& tag, Statement& out);
  Statement parse_print(int line);
  Statement parse_set(int line);
  Statement parse_for(int line);
  Statement parse_if(int line);
  Statement parse_macro(int line);
  Statement parse_call_block(int line);
  Statement parse_filter_block(int line);
  Statement parse_with(int line);
  Statement parse_loop_control(int line, bool is_break);
  std::vector<MacroParameter> parse_signature();
  void parse_macro_body(MacroBody& macro, std::string_view end_tag);
  Target parse_target(bool with_namespace, std::string_view end_name);
  Target parse_single_target(bool with_namespace);
  Target name_target(const Token& name);
};

}  // namespace saescope::jinja
