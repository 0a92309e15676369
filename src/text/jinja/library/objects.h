#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// What `namespace()` makes: the only thing a template can change.
class Namespace final : public Object {
 public:
  explicit Namespace(Dict attributes) : attributes_(std::move(attributes)) {}
  std::string_view type_name() const override { return "Namespace"; }
  std::optional<Value> attribute(Runtime& runtime, std::string_view name) override;
  std::string repr(Runtime& runtime) override;
  /// @throws InputError for names that begin with an underscore
  void set(Runtime& runtime, const std::string& name, Value value);

 private:
  Dict attributes_;
};

/// A function of this interpreter that templates can call.
class Function final : public Object {
 public:
  using Body = Value (*)(Runtime& runtime, const Arguments& arguments);
  explicit Function(Body body) : body_(body) {}
  std::string_view type_name() const override { return "function"; }
  bool callable() const override { return true; }
  Value call(Runtime& runtime, const Arguments& arguments) override { return body_(runtime, arguments); }

 private:
  Body body_;
};

/// A function that returns the same value whatever it is given.
class ConstantFunction final : public Object {
 public:
  explicit ConstantFunction(Value value) : value_(std::move(value)) {}
  std::string_view type_name() const override { return "function"; }
  bool callable() const override { return true; }
  Value call(Runtime&, const Arguments&) override { return value_; }

 private:
  Value value_;
};

/// The global of that name as transformers' environment has it (`range`, `dict`, `namespace`,
/// `cycler`, `joiner`, `raise_exception`, `strftime_now`), or nothing.
std::optional<Value> find_global(Runtime& runtime, std::string_view name);

/// Python's `dict(*arguments)`.
Dict make_dict(Runtime& runtime, const Arguments& arguments);

}  // namespace saescope::jinja
