#include "text/jinja/engine/interpreter.h"

#include <nlohmann/json.hpp>

#include "text/jinja/engine/loop.h"
#include "text/jinja/engine/macro.h"
#include "text/jinja/library/access.h"
#include "text/jinja/library/filters.h"
#include "text/jinja/library/methods.h"
#include "text/jinja/library/objects.h"
#include "text/jinja/library/predicates.h"
#include "text/jinja/values/comparison.h"
#include "text/jinja/values/iteration.h"
#include "text/jinja/values/json.h"
#include "text/jinja/values/operators.h"
#include "text/jinja/values/printing.h"

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

// One overload for each kind of expression.
struct Interpreter::Expressions {
  Interpreter& self;
  const ScopePtr& scope;
  Runtime& runtime = self.runtime_;

  Value evaluate(const ExprPtr& expr) const { return self.evaluate(*expr, scope); }
  Value evaluate_or_none(const ExprPtr& expr) const { return expr == nullptr ? Value() : evaluate(expr); }

  Value operator()(const Constant& node) const { return node.value; }
  Value operator()(const Name& node) const { return self.lookup(node.id, scope); }
  Value operator()(const Attribute& node) const {
    return get_attribute(runtime, evaluate(node.object), node.name);
  }
  Value operator()(const Subscript& node) const {
    const Value object = evaluate(node.object);
    return get_item(runtime, object, evaluate(node.key));
  }
  Value operator()(const Slice& node) const {
    const Value object = evaluate(node.object);
    const Value start = evaluate_or_none(node.start);
    const Value stop = evaluate_or_none(node.stop);
    return slice(runtime, object, start, stop, evaluate_or_none(node.step));
  }
  Value operator()(const Call& node) const { return self.call(node, scope, {}); }
  Value operator()(const Filter& node) const {
    Arguments arguments{{evaluate(node.input)}, {}};
    arguments = self.evaluate_arguments(node.arguments, scope, std::move(arguments));
    return call_filter(runtime, node.name, arguments);
  }
  Value operator()(const Test& node) const {
    Arguments arguments{{evaluate(node.input)}, {}};
    arguments = self.evaluate_arguments(node.arguments, scope, std::move(arguments));
    return Value(call_test(runtime, node.name, arguments));
  }
  Value operator()(const Unary& node) const {
    const Value operand = evaluate(node.operand);
    if (node.op == UnaryOp::kNot) return Value(!operand.truth());
    return signed_value(runtime, operand, node.op == UnaryOp::kNegate);
  }
  Value operator()(const Binary& node) const {
    const Value left = evaluate(node.left);
    return binary(runtime, node.op, left, evaluate(node.right));
  }
  Value operator()(const Logical& node) const {
    Value left = evaluate(node.left);
    return left.truth() == node.is_and ? evaluate(node.right) : left;
  }
  Value operator()(const Compare& node) const {
    Value left = evaluate(node.first);
    for (const auto& [op, operand] : node.rest) {
      Value right = evaluate(operand);
      if (!compare(runtime, op, left, right)) return Value(false);
      left = std::move(right);
    }
    return Value(true);
  }
  Value operator()(const Concat& node) const {
    std::string text;
    for (const ExprPtr& part : node.parts) {
      text += to_text(runtime, evaluate(part));
      if (text.size() > kMaxTextBytes) runtime.reserve_text(text.size());
    }
    return runtime.text(std::move(text));
  }
  Value operator()(const Conditional& node) const {
    if (evaluate(node.test).truth()) return evaluate(node.yes);
    if (node.no != nullptr) return evaluate(node.no);
    runtime.spend(8);
    return Value::undefined("the inline if-expression on line " + std::to_string(runtime.line()) +
                            " evaluated to false and no else section was defined.");
  }
  Value operator()(const SequenceLiteral& node) const {
    std::vector<Value> items;
    items.reserve(node.items.size());
    for (const ExprPtr& item : node.items) items.push_back(evaluate(item));
    return runtime.sequence(node.kind, std::move(items));
  }
  Value operator()(const DictLiteral& node) const {
    auto dict = std::make_shared<Dict>();
    for (const auto& [key_expr, value_expr] : node.items) {
      const Value key = evaluate(key_expr);
      dict->set(runtime, key, evaluate(value_expr));
    }
    return runtime.dict(std::move(dict));
  }
};

Value Interpreter::evaluate(const Expr& expr, const ScopePtr& scope) {
  const Runtime::Level level(runtime_);
  runtime_.spend(1);
  runtime_.at_line(expr.line);
  return std::visit(Expressions{*this, scope}, expr.node);
}

Value Interpreter::lookup(NameId id, const ScopePtr& scope) {
  if (const Value* found = scope->find(runtime_, id)) return *found;
  const std::string& name = template_.names[id];
  if (auto global = find_global(runtime_, name)) return *std::move(global);
  runtime_.spend_bytes(128 + name.size());  // the message stays
  return Value::undefined("'" + name + "' is undefined");
}

Arguments Interpreter::evaluate_arguments(const CallArguments& arguments, const ScopePtr& scope,
                                          Arguments out) {
  for (const ExprPtr& argument : arguments.positional) {
    out.positional.push_back(evaluate(*argument, scope));
  }
  for (const auto& [name, argument] : arguments.keywords) {
    out.keywords.emplace_back(name, evaluate(*argument, scope));
  }
  if (arguments.star != nullptr) {
    for (Value& item : iterate(runtime_, evaluate(*arguments.star, scope))) {
      out.positional.push_back(std::move(item));
    }
  }
  if (arguments.double_star != nullptr) {
    const Value named = evaluate(*arguments.double_star, scope);
    if (!named.is_dict()) runtime_.fail("argument after ** must be a mapping");
    for (const auto& [key, value] : named.dict().entries) {
      if (!key.is_string()) runtime_.fail("keywords must be strings");
      out.keywords.emplace_back(key.bytes(), value);
    }
  }
  return out;
}

// Methods are called on their object at once, without an object for the bound method.
Value Interpreter::call(const Call& call, const ScopePtr& scope, Arguments extra) {
  const int line = call.callee->line;
  const auto* attribute = std::get_if<Attribute>(&call.callee->node);
  if (attribute != nullptr) {
    const Value object = evaluate(*attribute->object, scope);
    if (const Method method = find_method(object, attribute->name)) {
      const Arguments arguments = evaluate_arguments(call.arguments, scope, std::move(extra));
      runtime_.at_line(line);
      return method(runtime_, object, arguments);
    }
    runtime_.at_line(line);
    const Value callee = get_attribute(runtime_, object, attribute->name);
    return call_value(runtime_, callee, evaluate_arguments(call.arguments, scope, std::move(extra)));
  }
  const Value callee = evaluate(*call.callee, scope);
  const Arguments arguments = evaluate_arguments(call.arguments, scope, std::move(extra));
  runtime_.at_line(line);
  return call_value(runtime_, callee, arguments);
}

Value Interpreter::apply_filters(const Expr& chain, const Value& input, const ScopePtr& scope) {
  const Runtime::Level level(runtime_);
  const auto& filter = std::get<Filter>(chain.node);
  Arguments arguments;
  arguments.positional.push_back(filter.input == nullptr ? input
                                                         : apply_filters(*filter.input, input, scope));
  arguments = evaluate_arguments(filter.arguments, scope, std::move(arguments));
  runtime_.at_line(chain.line);
  return call_filter(runtime_, filter.name, arguments);
}

}  // namespace saescope::jinja
