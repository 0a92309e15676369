#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/syntax/ast.h"
#include "text/jinja/syntax/lexer.h"

namespace saescope::jinja {

/// What all parts of the parser share: the tokens and the place among them, the names that were met, and the
/// bounds on nesting.
class ParserState {
 public:
  ParserState(std::string_view source, std::string_view where);
  virtual ~ParserState() = default;
  ParserState(const ParserState&) = delete;
  ParserState& operator=(const ParserState&) = delete;

 protected:
  /// Bounds the recursion of the descent.
  class Level {
   public:
    explicit Level(ParserState& parser) : parser_(parser) {
      if (++parser_.level_ > kMaxNesting) parser_.fail("the template nests too deeply");
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --parser_.level_; }

   private:
    ParserState& parser_;
  };
  /// Names with a meaning that an enclosing loop or macro body mentions.
  struct Mentions {
    bool loop = false;
    bool caller = false;
    bool kwargs = false;
    bool varargs = false;
  };

  static constexpr int kMaxNesting = 100;
  static constexpr int kMaxExpressionDepth = 250;

  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool skip_operator(std::string_view op);
  bool skip_name(std::string_view name);
  int expect_operator(std::string_view op);
  std::string expect_name();
  void expect(TokenType type, std::string_view what);
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail_at(int line, const std::string& what) const;
  [[noreturn]] void fail_expected(std::string_view expected) const;

  NameId intern(const std::string& name);
  void mention(NameId id);
  void note_unknown(int line, std::string what);

  std::string_view where_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int level_ = 0;
  int conditional_depth_ = 0;  // `if` statements around
  int for_depth_ = 0;          // loops around, macros notwithstanding
  int break_depth_ = 0;        // loops that `break` can leave
  std::vector<Mentions> mentions_;
  std::vector<std::pair<int, std::string>> unknown_;  // filters and tests outside conditionals
  Template template_;
};

}  // namespace saescope::jinja
