#include "text/jinja/parser.h"

namespace saescope::jinja {

Parser::Parser(std::string_view source, std::string_view where)
    : where_(where), tokens_(tokenize(source, where)) {
  template_.loop = intern("loop");
  template_.caller = intern("caller");
  template_.kwargs = intern("kwargs");
  template_.varargs = intern("varargs");
}

Template Parser::parse() {
  template_.body = parse_body({}, 1);
  if (!unknown_.empty()) fail_at(unknown_.front().first, unknown_.front().second);
  return std::move(template_);
}

bool Parser::skip_operator(std::string_view op) {
  if (!current().is_operator(op)) return false;
  take();
  return true;
}

bool Parser::skip_name(std::string_view name) {
  if (!current().is_name(name)) return false;
  take();
  return true;
}

int Parser::expect_operator(std::string_view op) {
  const int line = current().line;
  if (!skip_operator(op)) fail_expected("'" + std::string(op) + "'");
  return line;
}

std::string Parser::expect_name() {
  if (current().type != TokenType::kName) fail_expected("a name");
  return take().value;
}

void Parser::expect(TokenType type, std::string_view what) {
  if (current().type != type) fail_expected(what);
  take();
}

void Parser::fail(const std::string& what) const { fail_at(current().line, what); }

void Parser::fail_at(int line, const std::string& what) const { fail_syntax(where_, line, what); }

void Parser::fail_expected(std::string_view expected) const {
  const Token& token = current();
  std::string found = "'" + token.value + "'";
  switch (token.type) {
    case TokenType::kEnd:
      found = "the end of the template";
      break;
    case TokenType::kBlockEnd:
      found = "'%}'";
      break;
    case TokenType::kVariableEnd:
      found = "'}}'";
      break;
    case TokenType::kString:
      found = "a string";
      break;
    default:
      break;
  }
  fail(std::string(expected) + " is expected, not " + found);
}

NameId Parser::intern(const std::string& name) {
  const auto next = static_cast<NameId>(template_.names.size());
  const auto [entry, is_new] = template_.name_ids.emplace(name, next);
  if (is_new) template_.names.push_back(name);
  return entry->second;
}

void Parser::mention(NameId id) {
  for (Mentions& around : mentions_) {
    around.loop |= id == template_.loop;
    around.caller |= id == template_.caller;
    around.kwargs |= id == template_.kwargs;
    around.varargs |= id == template_.varargs;
  }
}

void Parser::note_unknown(int line, std::string what) {
  if (conditional_depth_ == 0) unknown_.emplace_back(line, std::move(what));
}

Template parse_template(std::string_view source, std::string_view where) {
  return Parser(source, where).parse();
}

}  // namespace saescope::jinja
