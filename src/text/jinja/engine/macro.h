#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/engine/interpreter.h"

namespace saescope::jinja {

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

}  // namespace saescope::jinja
