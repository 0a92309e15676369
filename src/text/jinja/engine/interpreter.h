#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "text/jinja/syntax/ast.h"
#include "text/jinja/values/runtime.h"

namespace saescope::jinja {

/// The variables of one block, inside those of the block around it.
class Scope {
 public:
  explicit Scope(std::shared_ptr<Scope> parent) : parent_(std::move(parent)) {}
  void set(NameId id, Value value);
  /// The variable here or in a scope around, or null.
  const Value* find(Runtime& runtime, NameId id) const;

 private:
  std::shared_ptr<Scope> parent_;
  std::vector<std::pair<NameId, Value>> variables_;
};
using ScopePtr = std::shared_ptr<Scope>;

/// How a statement ends.
enum class Flow { kNext, kBreak, kContinue };

/// Renders one template once.
class Interpreter {
 public:
  Interpreter(const Template& source, Runtime& runtime) : template_(source), runtime_(runtime) {}

  /// @param context the variables, an object; those the template does not name are not looked at
  std::string render(const nlohmann::ordered_json& context);

  Value evaluate(const Expr& expr, const ScopePtr& scope);
  /// Runs the statements and appends what they print.
  Flow run(const Body& body, const ScopePtr& scope, std::string& out);
  /// Runs a loop over `iterable`; a recursive loop calls this again.
  Flow run_loop(const For& loop, const Value& iterable, const ScopePtr& scope, int64_t depth0,
                std::string& out);
  void assign(const Target& target, const Value& value, const ScopePtr& scope);
  const Template& source() const { return template_; }
  Runtime& runtime() { return runtime_; }

 private:
  struct Statements;
  struct Expressions;

  void emit(std::string_view text, std::string& out);
  void assign_tuple(const Target& target, const Value& value, const ScopePtr& scope);
  std::string run_captured(const Body& body, const ScopePtr& scope);
  Value lookup(NameId id, const ScopePtr& scope);
  Arguments evaluate_arguments(const CallArguments& arguments, const ScopePtr& scope, Arguments out);
  Value call(const Call& call, const ScopePtr& scope, Arguments extra);
  /// Applies a chain of filters to the text of a block.
  Value apply_filters(const Expr& chain, const Value& input, const ScopePtr& scope);

  const Template& template_;
  Runtime& runtime_;
};

}  // namespace saescope::jinja
