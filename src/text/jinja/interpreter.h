#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/runtime.h"

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

/// Renders one template once. Expressions are in evaluate.cc.
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

/// A macro, or the `caller` of a call block: a body with the scope it was defined in.
class Macro final : public Object {
 public:
  Macro(Interpreter& interpreter, const MacroBody& macro, ScopePtr scope)
      : interpreter_(interpreter), macro_(macro), scope_(std::move(scope)) {}
  std::string_view type_name() const override { return "Macro"; }
  bool callable() const override { return true; }
  Value call(Runtime& runtime, const Arguments& arguments) override;
  std::optional<Value> attribute(Runtime& runtime, std::string_view name) override;
  std::string repr(Runtime& runtime) override;

 private:
  void bind(Runtime& runtime, const Arguments& arguments, const ScopePtr& scope) const;
  void bind_extras(Runtime& runtime, const Arguments& arguments, std::vector<bool> used,
                   const ScopePtr& scope) const;

  Interpreter& interpreter_;
  const MacroBody& macro_;
  ScopePtr scope_;
};

/// The value of a JSON document; numbers beyond 64 bits and invalid UTF-8 are refused.
Value from_json(Runtime& runtime, const nlohmann::ordered_json& json);

}  // namespace saescope::jinja
