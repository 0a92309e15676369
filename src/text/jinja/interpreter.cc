#include "text/jinja/interpreter.h"

#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "text/jinja/loop.h"
#include "text/jinja/objects.h"
#include "text/jinja/operators.h"
#include "text/jinja/text.h"

namespace saescope::jinja {

void Scope::set(NameId id, Value value) {
  for (auto& [name, current] : variables_) {
    if (name != id) continue;
    current = std::move(value);
    return;
  }
  variables_.emplace_back(id, std::move(value));
}

const Value* Scope::find(Runtime& runtime, NameId id) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent_.get()) {
    runtime.spend(1 + scope->variables_.size() / 16);
    for (const auto& [name, value] : scope->variables_) {
      if (name == id) return &value;
    }
  }
  return nullptr;
}

// One overload for each kind of statement.
struct Interpreter::Statements {
  Interpreter& self;
  const ScopePtr& scope;
  std::string& out;
  Runtime& runtime = self.runtime_;

  Flow operator()(const Data& node) const {
    self.emit(node.text, out);
    return Flow::kNext;
  }
  Flow operator()(const Print& node) const {
    self.emit(to_text(runtime, self.evaluate(*node.value, scope)), out);
    return Flow::kNext;
  }
  Flow operator()(const Set& node) const {
    self.assign(node.target, self.evaluate(*node.value, scope), scope);
    return Flow::kNext;
  }
  Flow operator()(const SetBlock& node) const {
    Value text = runtime.text(self.run_captured(node.body, scope));
    if (node.filter != nullptr) text = self.apply_filters(*node.filter, text, scope);
    self.assign(node.target, text, scope);
    return Flow::kNext;
  }
  Flow operator()(const For& node) const {
    return self.run_loop(node, self.evaluate(*node.iterable, scope), scope, 0, out);
  }
  Flow operator()(const If& node) const {
    for (const auto& [test, body] : node.branches) {
      if (self.evaluate(*test, scope).truth()) return self.run(body, scope, out);
    }
    return self.run(node.otherwise, scope, out);
  }
  Flow operator()(const MacroDefinition& node) const {
    scope->set(node.id, Value(runtime.create<Macro>(self, node.macro, scope)));
    return Flow::kNext;
  }
  Flow operator()(const CallBlock& node) const {
    const Value caller(runtime.create<Macro>(self, node.caller, scope));
    const auto& call = std::get<Call>(node.call->node);
    self.emit(to_text(runtime, self.call(call, scope, {{}, {{"caller", caller}}})), out);
    return Flow::kNext;
  }
  Flow operator()(const FilterBlock& node) const {
    const Value text = runtime.text(self.run_captured(node.body, scope));
    self.emit(to_text(runtime, self.apply_filters(*node.filter, text, scope)), out);
    return Flow::kNext;
  }
  Flow operator()(const With& node) const {
    const auto inner = std::make_shared<Scope>(scope);
    for (const auto& [target, value] : node.values) {
      self.assign(target, self.evaluate(*value, scope), inner);
    }
    return self.run(node.body, inner, out);
  }
  Flow operator()(const Generation& node) const {
    return self.run(node.body, std::make_shared<Scope>(scope), out);
  }
  Flow operator()(const Break&) const { return Flow::kBreak; }
  Flow operator()(const Continue&) const { return Flow::kContinue; }
};

void Interpreter::emit(std::string_view text, std::string& out) {
  if (out.size() + text.size() > kMaxOutputBytes) {
    runtime_.fail_limit("the output grows beyond 16 MiB");
  }
  runtime_.spend_bytes(text.size());
  out += text;
}

Flow Interpreter::run(const Body& body, const ScopePtr& scope, std::string& out) {
  const Runtime::Level level(runtime_);
  for (const Statement& statement : body) {
    runtime_.spend(1);
    runtime_.at_line(statement.line);
    const Flow flow = std::visit(Statements{*this, scope, out}, statement.node);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

std::string Interpreter::run_captured(const Body& body, const ScopePtr& scope) {
  std::string out;
  run(body, std::make_shared<Scope>(scope), out);
  return out;
}

Flow Interpreter::run_loop(const For& loop, const Value& iterable, const ScopePtr& scope, int64_t depth0,
                           std::string& out) {
  const auto keep = [this, &loop, scope](const Value& item) {
    if (loop.test == nullptr) return true;
    const auto inner = std::make_shared<Scope>(scope);
    assign(loop.target, item, inner);
    return evaluate(*loop.test, inner).truth();
  };
  LoopItems items(iterate(runtime_, iterable), keep);
  LoopObject* object = nullptr;
  if (loop.uses_loop) {
    const auto render = [this, &loop, scope, depth0](const Value& inner) {
      std::string text;
      run_loop(loop, inner, scope, depth0 + 1, text);
      return runtime_.text(std::move(text));
    };
    std::function<Value(const Value&)> recurse;
    if (loop.recursive) recurse = render;
    object = runtime_.create<LoopObject>(std::move(items), depth0, std::move(recurse));
  }
  bool ran = false;
  // NOLINTNEXTLINE(bugprone-use-after-move): `items` is moved only where there is an `object`
  while (auto item = object != nullptr ? object->advance() : items.next()) {
    ran = true;
    const auto inner = std::make_shared<Scope>(scope);
    if (object != nullptr) inner->set(template_.loop, Value(object));
    assign(loop.target, *item, inner);
    runtime_.spend(4);
    if (run(loop.body, inner, out) == Flow::kBreak) break;
  }
  if (ran || loop.otherwise.empty()) return Flow::kNext;
  return run(loop.otherwise, std::make_shared<Scope>(scope), out);
}

void Interpreter::assign_tuple(const Target& target, const Value& value, const ScopePtr& scope) {
  const std::vector<Value> items = iterate(runtime_, value);
  if (items.size() != target.items.size()) {
    runtime_.fail("cannot unpack " + std::to_string(items.size()) + " values into " +
                  std::to_string(target.items.size()) + " names");
  }
  for (std::size_t i = 0; i < items.size(); ++i) assign(target.items[i], items[i], scope);
}

void Interpreter::assign(const Target& target, const Value& value, const ScopePtr& scope) {
  switch (target.kind) {
    case Target::Kind::kName:
      scope->set(target.id, value);
      break;
    case Target::Kind::kTuple:
      assign_tuple(target, value, scope);
      break;
    case Target::Kind::kNamespace: {
      const Value holder = lookup(target.id, scope);
      auto* space = holder.is_object() ? dynamic_cast<Namespace*>(holder.object()) : nullptr;
      if (space == nullptr) runtime_.fail("cannot assign attribute on non-namespace object");
      space->set(runtime_, target.attribute, value);
      break;
    }
  }
}

std::string Interpreter::render(const nlohmann::ordered_json& context) {
  const auto globals = std::make_shared<Scope>(nullptr);
  for (const auto& [name, json] : context.items()) {
    const auto id = template_.name_ids.find(name);
    if (id == template_.name_ids.end()) continue;
    Value value = from_json(runtime_, json);
    const bool fixes_time = name == "strftime_now" && value.is_string();
    globals->set(id->second, fixes_time ? Value(runtime_.create<ConstantFunction>(value)) : value);
  }
  std::string out;
  run(template_.body, std::make_shared<Scope>(globals), out);
  return out;
}

Value from_json(Runtime& runtime, const nlohmann::ordered_json& json) {
  const Runtime::Level level(runtime);
  switch (json.type()) {
    case nlohmann::ordered_json::value_t::boolean:
      return Value(json.get<bool>());
    case nlohmann::ordered_json::value_t::number_unsigned:
      if (json.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
        runtime.fail("an integer of the context has more than 64 bits");
      }
      return Value(json.get<int64_t>());
    case nlohmann::ordered_json::value_t::number_integer:
      return Value(json.get<int64_t>());
    case nlohmann::ordered_json::value_t::number_float:
      return Value(json.get<double>());
    case nlohmann::ordered_json::value_t::string: {
      const auto& text = json.get_ref<const std::string&>();
      if (const std::size_t at = find_invalid_utf8(text); at != std::string::npos) {
        runtime.fail("a text of the context is not UTF-8 at byte " + std::to_string(at));
      }
      return Value::constant(text);
    }
    case nlohmann::ordered_json::value_t::array: {
      std::vector<Value> items;
      for (const auto& item : json) items.push_back(from_json(runtime, item));
      return runtime.list(std::move(items));
    }
    case nlohmann::ordered_json::value_t::object: {
      auto dict = std::make_shared<Dict>();
      for (const auto& [key, value] : json.items()) {
        if (find_invalid_utf8(key) != std::string::npos) {
          runtime.fail("a key of the context is not UTF-8");
        }
        dict->append(key, from_json(runtime, value));
      }
      return runtime.dict(std::move(dict));
    }
    default:
      return {};
  }
}

}  // namespace saescope::jinja
