#include "text/jinja/engine/macro.h"

#include <algorithm>

#include "text/jinja/engine/interpreter.h"
#include "text/jinja/values/printing.h"

namespace saescope::jinja {

Value Macro::call(Runtime& runtime, const Arguments& arguments) {
  const auto scope = std::make_shared<Scope>(scope_);
  bind(runtime, arguments, scope);
  std::string out;
  interpreter_.run(macro_.body, scope, out);
  return runtime.text(std::move(out));
}

// jinja2.runtime.Macro.__call__: positional arguments, keywords, then defaults, which may use the
// parameters before them.
void Macro::bind(Runtime& runtime, const Arguments& arguments, const ScopePtr& scope) const {
  std::vector<bool> used(arguments.keywords.size(), false);
  std::vector<const Value*> values;
  for (std::size_t i = 0; i < macro_.parameters.size(); ++i) {
    const Value* value = i < arguments.positional.size() ? &arguments.positional[i] : nullptr;
    runtime.spend(1 + used.size() / 16);
    for (std::size_t k = 0; k < used.size() && value == nullptr; ++k) {
      if (arguments.keywords[k].first != macro_.parameters[i].name) continue;
      value = &arguments.keywords[k].second;
      used[k] = true;
    }
    values.push_back(value);
  }
  bind_extras(runtime, arguments, std::move(used), scope);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const MacroParameter& parameter = macro_.parameters[i];
    if (values[i] != nullptr) {
      scope->set(parameter.id, *values[i]);
    } else if (parameter.fallback != nullptr) {
      scope->set(parameter.id, interpreter_.evaluate(*parameter.fallback, scope));
    } else {
      scope->set(parameter.id, Value::undefined("parameter '" + parameter.name + "' was not provided"));
    }
  }
}

// `caller`, `kwargs` and `varargs` where the body mentions them; all else that is left over is an error.
void Macro::bind_extras(Runtime& runtime, const Arguments& arguments, std::vector<bool> used,
                        const ScopePtr& scope) const {
  const Template& source = interpreter_.source();
  if (macro_.uses_caller) {
    Value caller = Value::undefined("No caller defined");
    for (std::size_t k = 0; k < used.size(); ++k) {
      if (arguments.keywords[k].first != "caller" || used[k]) continue;
      if (!arguments.keywords[k].second.is_none()) caller = arguments.keywords[k].second;
      used[k] = true;
    }
    scope->set(source.caller, caller);
  }
  auto rest = std::make_shared<Dict>();
  for (std::size_t k = 0; k < used.size(); ++k) {
    if (used[k]) continue;
    const auto& [name, value] = arguments.keywords[k];
    if (!macro_.uses_kwargs) {
      runtime.fail("the macro '" + macro_.name + "' takes no keyword argument '" + name + "'");
    }
    rest->set(runtime, Value::constant(name), value);
  }
  if (macro_.uses_kwargs) scope->set(source.kwargs, runtime.dict(std::move(rest)));
  const std::size_t taken = std::min(macro_.parameters.size(), arguments.positional.size());
  const std::vector<Value> surplus(arguments.positional.begin() + static_cast<std::ptrdiff_t>(taken),
                                   arguments.positional.end());
  if (macro_.uses_varargs) {
    scope->set(source.varargs, runtime.tuple(surplus));
  } else if (!surplus.empty()) {
    runtime.fail("the macro '" + macro_.name + "' takes not more than " +
                 std::to_string(macro_.parameters.size()) + " argument(s)");
  }
}

std::optional<Value> Macro::attribute(Runtime& runtime, std::string_view name) {
  if (name == "name") return runtime.text(macro_.name);
  if (name == "caller") return Value(macro_.uses_caller);
  if (name == "catch_kwargs") return Value(macro_.uses_kwargs);
  if (name == "catch_varargs") return Value(macro_.uses_varargs);
  if (name != "arguments") return std::nullopt;
  std::vector<Value> names;
  for (const MacroParameter& parameter : macro_.parameters) {
    names.push_back(runtime.text(parameter.name));
  }
  return runtime.tuple(std::move(names));
}

std::string Macro::repr(Runtime&) { return "<Macro " + repr_text(macro_.name) + ">"; }

}  // namespace saescope::jinja
