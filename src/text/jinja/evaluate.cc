#include "text/jinja/filters.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/methods.h"
#include "text/jinja/objects.h"
#include "text/jinja/operators.h"
#include "text/jinja/predicates.h"
#include "text/jinja/text.h"

namespace saescope::jinja {

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
