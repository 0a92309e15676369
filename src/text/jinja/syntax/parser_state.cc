#include "text/jinja/syntax/parser_state.h"

namespace saescope::jinja {

ParserState::ParserState(std::string_view source, std::string_view where)
    : where_(where), tokens_(tokenize(source, where)) {
  template_.loop = intern("loop");
  template_.caller = intern("caller");
  template_.kwargs = intern("kwargs");
  template_.varargs = intern("varargs");
}

bool ParserState::skip_operator(std::string_view op) {
  if (!current().is_operator(op)) return false;
  take();
  return true;
}

bool ParserState::skip_name(std::string_view name) {
  if (!current().is_name(name)) return false;
  take();
  return true;
}

int ParserState::expect_operator(std::string_view op) {
  const int line = current().line;
  if (!skip_operator(op)) fail_expected("'" + std::string(op) + "'");
  return line;
}

std::string ParserState::expect_name() {
  if (current().type != TokenType::kName) fail_expected("a name");
  return take().value;
}

void ParserState::expect(TokenType type, std::string_view what) {
  if (current().type != type) fail_expected(what);
  take();
}

void ParserState::fail(const std::string& what) const { fail_at(current().line, what); }

void ParserState::fail_at(int line, const std::string& what) const { fail_syntax(where_, line, what); }

void ParserState::fail_expected(std::string_view expected) const {
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

NameId ParserState::intern(const std::string& name) {
  const auto next = static_cast<NameId>(template_.names.size());
  const auto [entry, is_new] = template_.name_ids.emplace(name, next);
  if (is_new) template_.names.push_back(name);
  return entry->second;
}

void ParserState::mention(NameId id) {
  for (Mentions& around : mentions_) {
    around.loop |= id == template_.loop;
    around.caller |= id == template_.caller;
    around.kwargs |= id == template_.kwargs;
    around.varargs |= id == template_.varargs;
  }
}

void ParserState::note_unknown(int line, std::string what) {
  if (conditional_depth_ == 0) unknown_.emplace_back(line, std::move(what));
}

}  // namespace saescope::jinja
