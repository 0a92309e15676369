#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace saescope::jinja {

enum class TokenType {
  kData,           ///< text outside of tags
  kVariableBegin,  ///< `{{`
  kVariableEnd,
  kBlockBegin,  ///< `{%`
  kBlockEnd,
  kName,
  kString,  ///< the value is unescaped
  kInteger,
  kFloat,
  kOperator,  ///< the value is its spelling
  kEnd,
};

struct Token {
  TokenType type = TokenType::kEnd;
  std::string value;
  int line = 1;
  int64_t integer = 0;
  double real = 0;

  bool is_name(std::string_view name) const { return type == TokenType::kName && value == name; }
  bool is_operator(std::string_view op) const { return type == TokenType::kOperator && value == op; }
};

/// Splits a template into tokens as jinja2.lexer does with `trim_blocks` and `lstrip_blocks`: comments are
/// gone, raw blocks are data, white space around tags is already removed. The last token is kEnd.
/// @param source valid UTF-8
/// @param where the template's name, for messages
/// @throws InputError with the line.
std::vector<Token> tokenize(std::string_view source, std::string_view where);

/// The InputError of a template that cannot be read: `what` at `line` of `where`.
[[noreturn]] void fail_syntax(std::string_view where, int line, std::string what);

}  // namespace saescope::jinja
