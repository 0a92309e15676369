#include "text/jinja/syntax/parser.h"

#include <algorithm>
#include <array>

namespace saescope::jinja {
namespace {

bool is_constant_name(const std::string& name) {
  static constexpr std::array<std::string_view, 6> kConstants = {"true", "false", "none",
                                                                 "True", "False", "None"};
  return std::find(kConstants.begin(), kConstants.end(), name) != kConstants.end();
}

}  // namespace

// Statements up to one of the end tags, of which the name is the current token then. Without end
// tags: the whole template.
Template Parser::parse() {
  template_.body = parse_body({}, 1);
  if (!unknown_.empty()) fail_at(unknown_.front().first, unknown_.front().second);
  return std::move(template_);
}

Body Parser::parse_body(std::initializer_list<std::string_view> end_tags, int opened) {
  const Level level(*this);
  Body body;
  for (;;) {
    const int line = current().line;
    switch (current().type) {
      case TokenType::kData:
        body.push_back({line, Data{take().value}});
        break;
      case TokenType::kVariableBegin: {
        take();
        ExprPtr value = parse_tuple();
        expect(TokenType::kVariableEnd, "'}}'");
        body.push_back({line, Print{std::move(value)}});
        break;
      }
      case TokenType::kBlockBegin:
        take();
        for (const std::string_view tag : end_tags) {
          if (current().is_name(tag)) return body;
        }
        parse_statement(body);
        expect(TokenType::kBlockEnd, "'%}'");
        break;
      default:
        if (end_tags.size() == 0) return body;
        fail_at(opened,
                "'" + std::string(*(end_tags.end() - 1)) + "' is missing for the block that begins here");
    }
  }
}

// The end of a tag, then the statements up to one of the end tags.
Body Parser::parse_block(std::initializer_list<std::string_view> end_tags) {
  skip_operator(":");
  const int line = current().line;
  expect(TokenType::kBlockEnd, "'%}'");
  return parse_body(end_tags, line);
}

void Parser::parse_statement(Body& out) {
  const int line = current().line;
  if (current().type != TokenType::kName) fail_expected("the name of a statement");
  const std::string tag = take().value;
  if (tag == "print") {
    while (current().type != TokenType::kBlockEnd) {
      out.push_back(parse_print(line));
      if (current().type != TokenType::kBlockEnd) expect_operator(",");
    }
    return;
  }
  Statement statement;
  if (!parse_block_statement(tag, statement)) {
    fail_at(line, "the statement '" + tag + "' is unknown or out of place");
  }
  statement.line = line;
  out.push_back(std::move(statement));
}

bool Parser::parse_block_statement(const std::string& tag, Statement& out) {
  const int line = current().line;
  if (tag == "set") {
    out = parse_set(line);
  } else if (tag == "for") {
    out = parse_for(line);
  } else if (tag == "if") {
    out = parse_if(line);
  } else if (tag == "macro") {
    out = parse_macro(line);
  } else if (tag == "call") {
    out = parse_call_block(line);
  } else if (tag == "filter") {
    out = parse_filter_block(line);
  } else if (tag == "with") {
    out = parse_with(line);
  } else if (tag == "break" || tag == "continue") {
    out = parse_loop_control(line, tag == "break");
  } else if (tag == "generation") {
    MacroBody body;  // Jinja makes it the body of a call block, which `break` cannot leave
    parse_macro_body(body, "endgeneration");
    out = {line, Generation{std::move(body.body)}};
  } else {
    return false;
  }
  return true;
}

Statement Parser::parse_print(int line) { return {line, Print{parse_expression()}}; }

Statement Parser::parse_set(int line) {
  Target target = parse_target(true, {});
  if (skip_operator("=")) return {line, Set{std::move(target), parse_tuple()}};
  ExprPtr filter = skip_operator("|") ? parse_filter_chain() : nullptr;
  Body body = parse_block({"endset"});
  take();
  return {line, SetBlock{std::move(target), std::move(filter), std::move(body)}};
}

Statement Parser::parse_for(int line) {
  For loop;
  ++for_depth_;
  loop.target = parse_target(false, "in");
  if (!skip_name("in")) fail_expected("'in'");
  loop.iterable = parse_tuple(false, "recursive");
  if (skip_name("if")) loop.test = parse_expression();
  loop.recursive = skip_name("recursive");
  mentions_.emplace_back();
  ++break_depth_;
  loop.body = parse_block({"else", "endfor"});
  --break_depth_;
  loop.uses_loop = loop.recursive || mentions_.back().loop;
  mentions_.pop_back();
  if (take().value == "else") {
    loop.otherwise = parse_block({"endfor"});
    take();
  }
  --for_depth_;
  return {line, std::move(loop)};
}

Statement Parser::parse_if(int line) {
  If statement;
  ++conditional_depth_;
  for (;;) {
    ExprPtr test = parse_tuple(false);
    Body body = parse_block({"elif", "else", "endif"});
    statement.branches.emplace_back(std::move(test), std::move(body));
    const std::string tag = take().value;
    if (tag == "elif") continue;
    if (tag == "else") {
      statement.otherwise = parse_block({"endif"});
      take();
    }
    break;
  }
  --conditional_depth_;
  return {line, std::move(statement)};
}

std::vector<MacroParameter> Parser::parse_signature() {
  std::vector<MacroParameter> parameters;
  expect_operator("(");
  while (!current().is_operator(")")) {
    if (!parameters.empty()) expect_operator(",");
    MacroParameter parameter;
    parameter.name = expect_name();
    if (is_constant_name(parameter.name)) fail("'" + parameter.name + "' cannot be a parameter");
    parameter.id = intern(parameter.name);
    if (skip_operator("=")) {
      parameter.fallback = parse_expression();
    } else if (!parameters.empty() && parameters.back().fallback != nullptr) {
      fail("a parameter without default follows one with a default");
    }
    parameters.push_back(std::move(parameter));
  }
  expect_operator(")");
  return parameters;
}

void Parser::parse_macro_body(MacroBody& macro, std::string_view end_tag) {
  const int outer_breaks = std::exchange(break_depth_, 0);
  mentions_.emplace_back();
  macro.body = parse_block({end_tag});
  take();
  const Mentions inside = mentions_.back();
  mentions_.pop_back();
  break_depth_ = outer_breaks;
  const auto is_parameter = [&](std::string_view name) {
    return std::any_of(macro.parameters.begin(), macro.parameters.end(),
                       [name](const MacroParameter& p) { return p.name == name; });
  };
  for (const MacroParameter& parameter : macro.parameters) {
    if (parameter.name == "caller" && inside.caller && parameter.fallback == nullptr) {
      fail_at(macro.line, "the parameter 'caller' must be omitted or have a default");
    }
  }
  macro.uses_caller = inside.caller && !is_parameter("caller");
  macro.uses_kwargs = inside.kwargs && !is_parameter("kwargs");
  macro.uses_varargs = inside.varargs && !is_parameter("varargs");
}

Statement Parser::parse_macro(int line) {
  MacroDefinition definition;
  definition.macro.name = expect_name();
  if (is_constant_name(definition.macro.name)) {
    fail("'" + definition.macro.name + "' cannot name a macro");
  }
  definition.id = intern(definition.macro.name);
  definition.macro.line = line;
  definition.macro.parameters = parse_signature();
  parse_macro_body(definition.macro, "endmacro");
  return {line, std::move(definition)};
}

Statement Parser::parse_call_block(int line) {
  CallBlock block;
  block.caller.name = "caller";
  block.caller.line = line;
  if (current().is_operator("(")) block.caller.parameters = parse_signature();
  block.call = parse_expression();
  if (!std::holds_alternative<Call>(block.call->node)) fail_at(line, "a call is expected");
  parse_macro_body(block.caller, "endcall");
  return {line, std::move(block)};
}

Statement Parser::parse_filter_block(int line) {
  ExprPtr filter = parse_filter_chain();
  Body body = parse_block({"endfilter"});
  take();
  return {line, FilterBlock{std::move(filter), std::move(body)}};
}

Statement Parser::parse_with(int line) {
  With with;
  while (current().type != TokenType::kBlockEnd) {
    if (!with.values.empty()) expect_operator(",");
    Target target = parse_target(false, {});
    expect_operator("=");
    with.values.emplace_back(std::move(target), parse_expression());
  }
  with.body = parse_block({"endwith"});
  take();
  return {line, std::move(with)};
}

Statement Parser::parse_loop_control(int line, bool is_break) {
  if (break_depth_ == 0) {
    fail_at(line, std::string("'") + (is_break ? "break" : "continue") + "' outside of a loop");
  }
  if (is_break) return {line, Break{}};
  return {line, Continue{}};
}

Target Parser::name_target(const Token& name) {
  if (is_constant_name(name.value)) fail_at(name.line, "'" + name.value + "' cannot be assigned to");
  if (for_depth_ > 0 && name.value == "loop") {
    fail_at(name.line, "the special variable 'loop' cannot be assigned to");
  }
  Target target;
  target.line = name.line;
  target.id = intern(name.value);
  return target;
}

Target Parser::parse_single_target(bool with_namespace) {
  const Level level(*this);
  if (skip_operator("(")) {
    Target inner = parse_target(with_namespace, {});
    expect_operator(")");
    return inner;
  }
  if (current().type != TokenType::kName) fail_expected("a name to assign to");
  const Token name = take();
  if (!with_namespace || !current().is_operator(".")) return name_target(name);
  take();
  Target target;
  target.kind = Target::Kind::kNamespace;
  target.line = name.line;
  target.id = intern(name.value);
  target.attribute = expect_name();
  return target;
}

Target Parser::parse_target(bool with_namespace, std::string_view end_name) {
  Target first = parse_single_target(with_namespace);
  if (!current().is_operator(",")) return first;
  Target tuple;
  tuple.kind = Target::Kind::kTuple;
  tuple.line = first.line;
  tuple.items.push_back(std::move(first));
  while (skip_operator(",")) {
    if (at_tuple_end(end_name) || current().is_operator("=")) break;
    tuple.items.push_back(parse_single_target(with_namespace));
  }
  return tuple;
}

Template parse_template(std::string_view source, std::string_view where) {
  return Parser(source, where).parse();
}

}  // namespace saescope::jinja
