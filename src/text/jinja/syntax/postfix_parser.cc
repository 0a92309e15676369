#include "text/jinja/syntax/postfix_parser.h"

#include <algorithm>
#include <array>

#include "text/jinja/library/filters.h"
#include "text/jinja/library/predicates.h"

namespace saescope::jinja {

ExprPtr PostfixParser::make(int line, int below, ExprNode node) const {
  const int depth = 1 + below;
  if (depth > kMaxExpressionDepth) fail_at(line, "an expression nests too deeply");
  return std::make_unique<const Expr>(Expr{line, depth, std::move(node)});
}

int PostfixParser::depth_of(const std::vector<ExprPtr>& list) {
  int depth = 0;
  for (const ExprPtr& item : list) depth = std::max(depth, depth_of(item));
  return depth;
}

int PostfixParser::depth_of(const CallArguments& arguments) {
  int depth =
      std::max({depth_of(arguments.positional), depth_of(arguments.star), depth_of(arguments.double_star)});
  for (const auto& [name, value] : arguments.keywords) depth = std::max(depth, depth_of(value));
  return depth;
}

ExprPtr PostfixParser::parse_postfix(ExprPtr node) {
  for (;;) {
    if (current().is_operator(".")) {
      node = parse_dot(std::move(node));
    } else if (current().is_operator("[")) {
      node = parse_subscript(std::move(node));
    } else if (current().is_operator("(")) {
      node = parse_call(std::move(node));
    } else {
      return node;
    }
  }
}

// Filters and tests; a call may follow either of them.
ExprPtr PostfixParser::parse_filters(ExprPtr node) {
  for (;;) {
    if (skip_operator("|")) {
      node = parse_filter(std::move(node));
    } else if (current().is_name("is")) {
      node = parse_test(std::move(node));
    } else if (current().is_operator("(")) {
      node = parse_call(std::move(node));
    } else {
      return node;
    }
  }
}

ExprPtr PostfixParser::parse_dot(ExprPtr object) {
  const int line = expect_operator(".");
  const Token token = take();
  const int depth = depth_of(object);
  if (token.type == TokenType::kName) {
    return make(line, depth, Attribute{std::move(object), token.value});
  }
  if (token.type != TokenType::kInteger) fail_at(token.line, "a name or number is expected after '.'");
  ExprPtr key = make(token.line, 0, Constant{Value(token.integer)});
  return make(line, depth, Subscript{std::move(object), std::move(key)});
}

ExprPtr PostfixParser::parse_subscript(ExprPtr object) {
  const int line = expect_operator("[");
  std::vector<ExprPtr> keys;
  while (!current().is_operator("]")) {
    if (!keys.empty()) expect_operator(",");
    ExprPtr key = current().is_operator(":") ? nullptr : parse_expression();
    if (current().is_operator(":")) {
      if (!keys.empty()) fail("a slice among several subscripts is not supported");
      return parse_slice(std::move(object), std::move(key), line);
    }
    keys.push_back(std::move(key));
  }
  expect_operator("]");
  ExprPtr key;
  if (keys.size() == 1) {
    key = std::move(keys[0]);
  } else {
    const int depth = depth_of(keys);
    key = make(line, depth, SequenceLiteral{SequenceKind::kTuple, std::move(keys)});
  }
  const int depth = std::max(depth_of(object), depth_of(key));
  return make(line, depth, Subscript{std::move(object), std::move(key)});
}

// From the first ':' on.
ExprPtr PostfixParser::parse_slice(ExprPtr object, ExprPtr start, int line) {
  const auto part = [this]() -> ExprPtr {
    const bool absent = current().is_operator(":") || current().is_operator("]");
    return absent ? nullptr : parse_expression();
  };
  expect_operator(":");
  ExprPtr stop = part();
  ExprPtr step = skip_operator(":") ? part() : nullptr;
  expect_operator("]");
  const int depth = std::max({depth_of(object), depth_of(start), depth_of(stop), depth_of(step)});
  return make(line, depth, Slice{std::move(object), std::move(start), std::move(stop), std::move(step)});
}

ExprPtr PostfixParser::parse_call(ExprPtr callee) {
  const int line = current().line;
  CallArguments arguments = parse_call_arguments();
  const int depth = std::max(depth_of(callee), depth_of(arguments));
  return make(line, depth, Call{std::move(callee), std::move(arguments)});
}

CallArguments PostfixParser::parse_call_arguments() {
  const int line = expect_operator("(");
  CallArguments arguments;
  for (bool first = true; !current().is_operator(")"); first = false) {
    if (!first) {
      expect_operator(",");
      if (current().is_operator(")")) break;
    }
    parse_call_argument(arguments, line);
  }
  expect_operator(")");
  return arguments;
}

void PostfixParser::parse_call_argument(CallArguments& arguments, int line) {
  const bool any_star = arguments.star != nullptr || arguments.double_star != nullptr;
  const auto require = [&](bool valid) {
    if (!valid) fail_at(line, "the arguments of a call are in a wrong order");
  };
  if (skip_operator("*")) {
    require(!any_star);
    arguments.star = parse_expression();
  } else if (skip_operator("**")) {
    require(arguments.double_star == nullptr);
    arguments.double_star = parse_expression();
  } else if (current().type == TokenType::kName && ahead().is_operator("=")) {
    require(arguments.double_star == nullptr);
    std::string name = take().value;
    take();
    arguments.keywords.emplace_back(std::move(name), parse_expression());
  } else {
    require(!any_star && arguments.keywords.empty());
    arguments.positional.push_back(parse_expression());
  }
}

std::string PostfixParser::parse_dotted_name() {
  std::string name = expect_name();
  while (skip_operator(".")) name += "." + expect_name();
  return name;
}

ExprPtr PostfixParser::parse_filter(ExprPtr input) {
  const int line = current().line;
  std::string name = parse_dotted_name();
  if (find_filter(name) == nullptr) note_unknown(line, describe_missing_filter(name));
  CallArguments arguments;
  if (current().is_operator("(")) arguments = parse_call_arguments();
  const int depth = std::max(depth_of(input), depth_of(arguments));
  return make(line, depth, Filter{std::move(input), std::move(name), std::move(arguments)});
}

// `name | name …` of filter and set blocks.
ExprPtr PostfixParser::parse_filter_chain() {
  ExprPtr chain = parse_filter(nullptr);
  while (skip_operator("|")) chain = parse_filter(std::move(chain));
  return chain;
}

ExprPtr PostfixParser::parse_test(ExprPtr input) {
  const int line = take().line;
  const bool negated = skip_name("not");
  std::string name = parse_dotted_name();
  if (find_test(name) == nullptr) note_unknown(line, describe_missing_test(name));
  CallArguments arguments;
  const Token& next = current();
  const bool literal = next.type == TokenType::kString || next.type == TokenType::kInteger ||
                       next.type == TokenType::kFloat || next.is_operator("[") || next.is_operator("{");
  const bool word =
      next.type == TokenType::kName && next.value != "else" && next.value != "or" && next.value != "and";
  if (next.is_operator("(")) {
    arguments = parse_call_arguments();
  } else if (next.is_name("is")) {
    fail("tests cannot be chained with 'is'");
  } else if (literal || word) {
    arguments.positional.push_back(parse_postfix(parse_primary()));
  }
  const int depth = std::max(depth_of(input), depth_of(arguments));
  ExprPtr test = make(line, depth, Test{std::move(input), std::move(name), std::move(arguments)});
  if (!negated) return test;
  return make(line, depth + 1, Unary{UnaryOp::kNot, std::move(test)});
}

}  // namespace saescope::jinja
