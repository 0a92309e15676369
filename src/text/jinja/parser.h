#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/lexer.h"

namespace saescope::jinja {

/// Parses a whole template by the grammar of jinja2.parser.
/// @param source valid UTF-8
/// @param where the template's name, for messages
/// @throws InputError naming what is not understood and its line; filters and tests that do not
///         exist are refused too, but inside `if` only when they are reached, as Jinja does.
Template parse_template(std::string_view source, std::string_view where);

/// The recursive descent over the tokens. Expressions are in parse_expression.cc, statements
/// in parse_statement.cc.
class Parser {
 public:
  Parser(std::string_view source, std::string_view where);
  Template parse();

 private:
  /// Bounds the recursion of the descent.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) {
      if (++parser_.level_ > kMaxNesting) parser_.fail("the template nests too deeply");
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --parser_.level_; }

   private:
    Parser& parser_;
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

  // tokens
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

  // expressions
  /// @param below depth of the deepest child
  ExprPtr make(int line, int below, ExprNode node) const;
  static int depth_of(const ExprPtr& expr) { return expr == nullptr ? 0 : expr->depth; }
  static int depth_of(const std::vector<ExprPtr>& list);
  static int depth_of(const CallArguments& arguments);
  ExprPtr parse_expression(bool with_conditional = true);
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
  ExprPtr parse_primary();
  ExprPtr parse_name();
  ExprPtr parse_tuple(bool with_conditional = true, std::string_view end_name = {},
                      bool in_parentheses = false);
  bool at_tuple_end(std::string_view end_name) const;
  ExprPtr parse_list();
  ExprPtr parse_dict();
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

  // statements
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
