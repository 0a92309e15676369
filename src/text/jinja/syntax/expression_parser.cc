#include "text/jinja/syntax/expression_parser.h"

#include "text/jinja/values/comparison.h"
#include "text/jinja/values/operators.h"

#include <algorithm>
#include <array>

namespace saescope::jinja {

ExprPtr ExpressionParser::parse_expression(bool with_conditional) {
  const Level level(*this);
  return with_conditional ? parse_conditional() : parse_or();
}

ExprPtr ExpressionParser::parse_conditional() {
  const Level level(*this);
  int line = current().line;
  const std::size_t unknown_before = unknown_.size();
  ExprPtr expr = parse_or();
  while (skip_name("if")) {
    ExprPtr test = parse_or();
    ExprPtr no = skip_name("else") ? parse_conditional() : nullptr;
    unknown_.resize(unknown_before);  // what is in a conditional fails only where it is reached
    const int deepest = std::max({depth_of(test), depth_of(expr), depth_of(no)});
    expr = make(line, deepest, Conditional{std::move(test), std::move(expr), std::move(no)});
    line = current().line;
  }
  return expr;
}

ExprPtr ExpressionParser::parse_or() {
  int line = current().line;
  ExprPtr left = parse_and();
  while (skip_name("or")) {
    ExprPtr right = parse_and();
    const int depth = std::max(depth_of(left), depth_of(right));
    left = make(line, depth, Logical{false, std::move(left), std::move(right)});
    line = current().line;
  }
  return left;
}

ExprPtr ExpressionParser::parse_and() {
  int line = current().line;
  ExprPtr left = parse_not();
  while (skip_name("and")) {
    ExprPtr right = parse_not();
    const int depth = std::max(depth_of(left), depth_of(right));
    left = make(line, depth, Logical{true, std::move(left), std::move(right)});
    line = current().line;
  }
  return left;
}

ExprPtr ExpressionParser::parse_not() {
  const int line = current().line;
  if (!skip_name("not")) return parse_compare();
  const Level level(*this);
  ExprPtr operand = parse_not();
  const int depth = depth_of(operand);
  return make(line, depth, Unary{UnaryOp::kNot, std::move(operand)});
}

bool ExpressionParser::take_compare_op(CompareOp& op) {
  struct Spelling {
    std::string_view text;
    CompareOp op;
  };
  static constexpr std::array<Spelling, 6> kSpellings = {{{"==", CompareOp::kEqual},
                                                          {"!=", CompareOp::kNotEqual},
                                                          {"<", CompareOp::kLess},
                                                          {"<=", CompareOp::kLessEqual},
                                                          {">", CompareOp::kGreater},
                                                          {">=", CompareOp::kGreaterEqual}}};
  for (const Spelling& spelling : kSpellings) {
    if (!skip_operator(spelling.text)) continue;
    op = spelling.op;
    return true;
  }
  if (skip_name("in")) {
    op = CompareOp::kIn;
    return true;
  }
  if (!current().is_name("not") || !ahead().is_name("in")) return false;
  take();
  take();
  op = CompareOp::kNotIn;
  return true;
}

ExprPtr ExpressionParser::parse_compare() {
  const int line = current().line;
  ExprPtr first = parse_sum();
  int depth = depth_of(first);
  std::vector<std::pair<CompareOp, ExprPtr>> rest;
  CompareOp op{};
  while (take_compare_op(op)) {
    rest.emplace_back(op, parse_sum());
    depth = std::max(depth, depth_of(rest.back().second));
  }
  if (rest.empty()) return first;
  return make(line, depth, Compare{std::move(first), std::move(rest)});
}

ExprPtr ExpressionParser::parse_sum() {
  int line = current().line;
  ExprPtr left = parse_concat();
  for (;;) {
    const bool plus = current().is_operator("+");
    if (!plus && !current().is_operator("-")) return left;
    take();
    ExprPtr right = parse_concat();
    const int depth = std::max(depth_of(left), depth_of(right));
    left = make(line, depth,
                Binary{plus ? BinaryOp::kAdd : BinaryOp::kSubtract, std::move(left), std::move(right)});
    line = current().line;
  }
}

ExprPtr ExpressionParser::parse_concat() {
  const int line = current().line;
  std::vector<ExprPtr> parts;
  parts.push_back(parse_product());
  while (skip_operator("~")) parts.push_back(parse_product());
  if (parts.size() == 1) return std::move(parts[0]);
  const int depth = depth_of(parts);
  return make(line, depth, Concat{std::move(parts)});
}

ExprPtr ExpressionParser::parse_product() {
  struct Spelling {
    std::string_view text;
    BinaryOp op;
  };
  static constexpr std::array<Spelling, 4> kSpellings = {{{"*", BinaryOp::kMultiply},
                                                          {"/", BinaryOp::kDivide},
                                                          {"//", BinaryOp::kFloorDivide},
                                                          {"%", BinaryOp::kModulo}}};
  int line = current().line;
  ExprPtr left = parse_power();
  for (;;) {
    const auto* op = std::find_if(kSpellings.begin(), kSpellings.end(), [this](const Spelling& spelling) {
      return current().is_operator(spelling.text);
    });
    if (op == kSpellings.end()) return left;
    take();
    ExprPtr right = parse_power();
    const int depth = std::max(depth_of(left), depth_of(right));
    left = make(line, depth, Binary{op->op, std::move(left), std::move(right)});
    line = current().line;
  }
}

ExprPtr ExpressionParser::parse_power() {
  int line = current().line;
  ExprPtr left = parse_unary();
  while (skip_operator("**")) {
    ExprPtr right = parse_unary();
    const int depth = std::max(depth_of(left), depth_of(right));
    left = make(line, depth, Binary{BinaryOp::kPower, std::move(left), std::move(right)});
    line = current().line;
  }
  return left;
}

ExprPtr ExpressionParser::parse_unary(bool with_filter) {
  const Level level(*this);
  const int line = current().line;
  ExprPtr node;
  if (current().is_operator("-") || current().is_operator("+")) {
    const UnaryOp op = take().value == "-" ? UnaryOp::kNegate : UnaryOp::kPlus;
    ExprPtr operand = parse_unary(false);
    const int depth = depth_of(operand);
    node = make(line, depth, Unary{op, std::move(operand)});
  } else {
    node = parse_primary();
  }
  node = parse_postfix(std::move(node));
  return with_filter ? parse_filters(std::move(node)) : std::move(node);
}

ExprPtr ExpressionParser::parse_primary() {
  const Level level(*this);
  const int line = current().line;
  switch (current().type) {
    case TokenType::kName:
      return parse_name();
    case TokenType::kString: {
      std::string text = take().value;
      while (current().type == TokenType::kString) text += take().value;
      return make(line, 0, Constant{Value::constant(std::move(text))});
    }
    case TokenType::kInteger:
      return make(line, 0, Constant{Value(take().integer)});
    case TokenType::kFloat:
      return make(line, 0, Constant{Value(take().real)});
    default:
      break;
  }
  if (skip_operator("(")) {
    ExprPtr inner = parse_tuple(true, {}, true);
    expect_operator(")");
    return inner;
  }
  if (current().is_operator("[")) return parse_list();
  if (current().is_operator("{")) return parse_dict();
  fail_expected("an expression");
}

ExprPtr ExpressionParser::parse_name() {
  const Token token = take();
  const std::string& name = token.value;
  if (name == "true" || name == "True") return make(token.line, 0, Constant{Value(true)});
  if (name == "false" || name == "False") return make(token.line, 0, Constant{Value(false)});
  if (name == "none" || name == "None") return make(token.line, 0, Constant{Value()});
  const NameId id = intern(name);
  mention(id);
  return make(token.line, 0, Name{id});
}

bool ExpressionParser::at_tuple_end(std::string_view end_name) const {
  const TokenType type = current().type;
  return type == TokenType::kVariableEnd || type == TokenType::kBlockEnd || current().is_operator(")") ||
         (!end_name.empty() && current().is_name(end_name));
}

ExprPtr ExpressionParser::parse_tuple(bool with_conditional, std::string_view end_name, bool in_parentheses) {
  const int line = current().line;
  std::vector<ExprPtr> items;
  bool is_tuple = false;
  for (;;) {
    if (!items.empty()) expect_operator(",");
    if (at_tuple_end(end_name)) break;
    items.push_back(parse_expression(with_conditional));
    if (!current().is_operator(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !items.empty()) return std::move(items[0]);
  if (!is_tuple && !in_parentheses) fail_expected("an expression");
  const int depth = depth_of(items);
  return make(line, depth, SequenceLiteral{SequenceKind::kTuple, std::move(items)});
}

ExprPtr ExpressionParser::parse_list() {
  const int line = expect_operator("[");
  std::vector<ExprPtr> items;
  while (!current().is_operator("]")) {
    if (!items.empty()) expect_operator(",");
    if (current().is_operator("]")) break;
    items.push_back(parse_expression());
  }
  expect_operator("]");
  const int depth = depth_of(items);
  return make(line, depth, SequenceLiteral{SequenceKind::kList, std::move(items)});
}

ExprPtr ExpressionParser::parse_dict() {
  const int line = expect_operator("{");
  DictLiteral dict;
  int depth = 0;
  while (!current().is_operator("}")) {
    if (!dict.items.empty()) expect_operator(",");
    if (current().is_operator("}")) break;
    ExprPtr key = parse_expression();
    expect_operator(":");
    ExprPtr value = parse_expression();
    depth = std::max({depth, depth_of(key), depth_of(value)});
    dict.items.emplace_back(std::move(key), std::move(value));
  }
  expect_operator("}");
  return make(line, depth, std::move(dict));
}

}  // namespace saescope::jinja
