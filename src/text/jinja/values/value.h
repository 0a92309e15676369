#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace saescope::jinja {

class Runtime;
class Object;
class Value;

/// A Python `str`: valid UTF-8 with its length in code points.
struct Text {
  std::string bytes;
  std::size_t code_points = 0;
  bool markup = false;  ///< markupsafe's `Markup`: `+` escapes the other operand
  bool is_ascii() const { return code_points == bytes.size(); }
};

enum class SequenceKind {
  kList,
  kTuple,
  kGroup,  ///< what `groupby` yields: a tuple with the attributes `grouper` and `list`
  kRange,
  kDictKeys,
  kDictValues,
  kDictItems,
  kGenerator,  ///< can be read once, has no length, is always true
};

struct Sequence;
struct Dict;

struct UndefinedInfo {
  std::string message;  ///< why, as Jinja reports it where the value is used
};

/// A Python value as templates see it. Cheap to copy. Containers are immutable and of bounded depth,
/// so no cycle can form; what is mutable (namespaces, loops) is an Object owned by the Runtime.
class Value {
 public:
  Value() = default;  ///< None
  explicit Value(bool value) : data_(value) {}
  explicit Value(int64_t value) : data_(value) {}
  explicit Value(double value) : data_(value) {}
  explicit Value(std::shared_ptr<const Text> value) : data_(std::move(value)) {}
  explicit Value(std::shared_ptr<const Sequence> value) : data_(std::move(value)) {}
  explicit Value(std::shared_ptr<const Dict> value) : data_(std::move(value)) {}
  explicit Value(Object* value) : data_(value) {}
  static Value undefined(std::string message);
  /// A string that is not charged to a Runtime: template constants and the caller's context.
  static Value constant(std::string bytes);

  bool is_none() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_undefined() const { return holds<std::shared_ptr<const UndefinedInfo>>(); }
  bool is_bool() const { return holds<bool>(); }
  bool is_int() const { return holds<int64_t>(); }
  bool is_float() const { return holds<double>(); }
  bool is_integral() const { return is_bool() || is_int(); }
  bool is_number() const { return is_integral() || is_float(); }
  bool is_string() const { return holds<std::shared_ptr<const Text>>(); }
  bool is_sequence() const { return holds<std::shared_ptr<const Sequence>>(); }
  bool is_sequence(SequenceKind kind) const;
  bool is_tuple() const;  ///< a tuple or a group
  bool is_dict() const { return holds<std::shared_ptr<const Dict>>(); }
  bool is_object() const { return holds<Object*>(); }

  bool as_bool() const { return std::get<bool>(data_); }
  int64_t integral() const { return is_bool() ? int64_t{as_bool()} : std::get<int64_t>(data_); }
  double number() const;
  const Text& text() const { return *std::get<std::shared_ptr<const Text>>(data_); }
  const std::string& bytes() const { return text().bytes; }
  const Sequence& sequence() const { return *std::get<std::shared_ptr<const Sequence>>(data_); }
  const Dict& dict() const { return *std::get<std::shared_ptr<const Dict>>(data_); }
  Object* object() const { return std::get<Object*>(data_); }
  const std::string& undefined_message() const {
    return std::get<std::shared_ptr<const UndefinedInfo>>(data_)->message;
  }

  /// Levels of containers below this value, this one included; 0 for scalars and objects.
  uint32_t depth() const;
  /// Python's name of the type, for messages.
  std::string_view type_name() const;
  /// Python's `bool(value)`.
  bool truth() const;
  /// Python's `is`; numbers are the same object where type and value agree.
  bool same_as(const Value& other) const;

 private:
  template <class T>
  bool holds() const {
    return std::holds_alternative<T>(data_);
  }

  std::variant<std::monostate, std::shared_ptr<const UndefinedInfo>, bool, int64_t, double,
               std::shared_ptr<const Text>, std::shared_ptr<const Sequence>, std::shared_ptr<const Dict>,
               Object*>
      data_;
};

struct Sequence {
  SequenceKind kind = SequenceKind::kList;
  std::vector<Value> items;
  uint32_t depth = 1;
  int64_t range_start = 0;
  int64_t range_stop = 0;
  int64_t range_step = 1;
  /// Generators: items already handed out. Reading one changes it, as in Python.
  mutable std::size_t consumed = 0;
};

/// A Python `dict`: insertion order, keys equal by Python's rules (1 == 1.0 == True).
struct Dict {
  std::vector<std::pair<Value, Value>> entries;
  uint32_t depth = 1;

  /// Sets `key`; a key that is there keeps its place. Keys must be hashable (see `hash_value`).
  void set(Runtime& runtime, const Value& key, Value value);
  const Value* find(Runtime& runtime, const Value& key) const;
  /// Appends a string key that is known to be new.
  void append(std::string key, Value value);

 private:
  std::optional<std::size_t> position(Runtime& runtime, uint64_t hash, const Value& key) const;
  std::unordered_multimap<uint64_t, std::size_t> index_;  // hash → entry
};

/// What a call passes: positional values first, then keywords in order.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> keywords;
};

/// Something with identity: namespaces, macros, loops, functions. Lives as long as its Runtime.
class Object {
 public:
  Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object() = default;
  virtual std::string_view type_name() const = 0;
  virtual bool callable() const { return false; }
  /// @throws InputError where the object cannot be called or refuses the arguments.
  virtual Value call(Runtime& runtime, const Arguments& arguments);
  /// The attribute, or nothing where there is none.
  virtual std::optional<Value> attribute(Runtime& runtime, std::string_view name);
  /// Python's `len`, or nothing where the object has none.
  virtual std::optional<int64_t> length(Runtime& runtime);
  /// Python's `repr`. @throws InputError where Python's text is an address.
  virtual std::string repr(Runtime& runtime);
};

/// The hash of a key, equal for equal keys. @throws InputError for unhashable values (lists, dicts).
uint64_t hash_value(Runtime& runtime, const Value& value);
bool is_hashable(const Value& value);

}  // namespace saescope::jinja
