#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "text/jinja/values/comparison.h"
#include "text/jinja/values/operators.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// A variable's name as a number, given by the parser (see Template::names).
using NameId = uint32_t;

struct Expr;
using ExprPtr = std::unique_ptr<const Expr>;

struct CallArguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> keywords;
  ExprPtr star;         ///< `*expression`, or null
  ExprPtr double_star;  ///< `**expression`, or null
};

struct Constant {
  Value value;
};
struct Name {
  NameId id = 0;
};
struct Attribute {  ///< `object.name`
  ExprPtr object;
  std::string name;
};
struct Subscript {  ///< `object[key]`
  ExprPtr object;
  ExprPtr key;
};
struct Slice {  ///< `object[start:stop:step]`, each part may be null
  ExprPtr object;
  ExprPtr start;
  ExprPtr stop;
  ExprPtr step;
};
struct Call {
  ExprPtr callee;
  CallArguments arguments;
};
struct Filter {
  ExprPtr input;  ///< null in filter blocks, where the block's text is the input
  std::string name;
  CallArguments arguments;
};
struct Test {
  ExprPtr input;
  std::string name;
  CallArguments arguments;
};
enum class UnaryOp { kNot, kNegate, kPlus };
struct Unary {
  UnaryOp op = UnaryOp::kNot;
  ExprPtr operand;
};
struct Binary {
  BinaryOp op = BinaryOp::kAdd;
  ExprPtr left;
  ExprPtr right;
};
struct Logical {
  bool is_and = false;
  ExprPtr left;
  ExprPtr right;
};
struct Compare {  ///< `first op a op b …`, chained as in Python
  ExprPtr first;
  std::vector<std::pair<CompareOp, ExprPtr>> rest;
};
struct Concat {  ///< `a ~ b ~ …`
  std::vector<ExprPtr> parts;
};
struct Conditional {  ///< `yes if test else no`, `no` may be null
  ExprPtr test;
  ExprPtr yes;
  ExprPtr no;
};
struct SequenceLiteral {
  SequenceKind kind = SequenceKind::kList;
  std::vector<ExprPtr> items;
};
struct DictLiteral {
  std::vector<std::pair<ExprPtr, ExprPtr>> items;
};

using ExprNode = std::variant<Constant, Name, Attribute, Subscript, Slice, Call, Filter, Test, Unary, Binary,
                              Logical, Compare, Concat, Conditional, SequenceLiteral, DictLiteral>;

struct Expr {
  int line = 1;
  int depth = 1;  ///< levels of expressions, bounded by the parser
  ExprNode node;
};

/// What is assigned to: a name, a tuple of targets, or a namespace's attribute.
struct Target {
  enum class Kind { kName, kTuple, kNamespace };
  Kind kind = Kind::kName;
  int line = 1;
  NameId id = 0;          ///< the name, or the namespace's name
  std::string attribute;  ///< of a namespace
  std::vector<Target> items;
};

struct Statement;
using Body = std::vector<Statement>;

struct Data {
  std::string text;
};
struct Print {
  ExprPtr value;
};
struct Set {
  Target target;
  ExprPtr value;
};
struct SetBlock {
  Target target;
  ExprPtr filter;  ///< a chain of filters without input, or null
  Body body;
};
struct For {
  Target target;
  ExprPtr iterable;
  ExprPtr test;  ///< or null
  bool recursive = false;
  bool uses_loop = false;  ///< the body mentions `loop`
  Body body;
  Body otherwise;
};
struct If {
  std::vector<std::pair<ExprPtr, Body>> branches;
  Body otherwise;
};
struct MacroParameter {
  NameId id = 0;
  std::string name;
  ExprPtr fallback;  ///< or null
};
/// A macro, or the body of a call block.
struct MacroBody {
  std::string name;
  std::vector<MacroParameter> parameters;
  Body body;
  int line = 1;
  bool uses_caller = false;
  bool uses_kwargs = false;
  bool uses_varargs = false;
};
struct MacroDefinition {
  NameId id = 0;
  MacroBody macro;
};
struct CallBlock {
  MacroBody caller;
  ExprPtr call;  ///< always a Call
};
struct FilterBlock {
  ExprPtr filter;
  Body body;
};
struct With {
  std::vector<std::pair<Target, ExprPtr>> values;
  Body body;
};
struct Generation {  ///< `{% generation %}`: its text, in a scope of its own
  Body body;
};
struct Break {};
struct Continue {};

struct Statement {
  int line = 1;
  std::variant<Data, Print, Set, SetBlock, For, If, MacroDefinition, CallBlock, FilterBlock, With, Generation,
               Break, Continue>
      node;
};

/// A parsed template.
struct Template {
  Body body;
  std::vector<std::string> names;  ///< by NameId
  std::unordered_map<std::string, NameId> name_ids;
  // what the engine itself looks up
  NameId loop = 0;
  NameId caller = 0;
  NameId kwargs = 0;
  NameId varargs = 0;
};

}  // namespace saescope::jinja
