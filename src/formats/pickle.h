#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace saescope {

/// A value of a pickle, named by its place in `Pickle::values`: values refer to each other, even to
/// themselves, without owning each other.
using PickleRef = uint32_t;

struct PickleNone {};
/// A tuple or a list.
struct PickleTuple {
  std::vector<PickleRef> items;
};
/// A dict or an OrderedDict, in the order of insertion; equal keys are not merged.
struct PickleDict {
  std::vector<std::pair<PickleRef, PickleRef>> items;
};
/// A class or function that the pickle names: "torch.FloatStorage".
struct PickleGlobal {
  std::string name;
};
/// Something outside the pickle, by an identifier that only the pickle's writer understands.
struct PicklePersistent {
  PickleRef id;
};
/// A call that Python would make here. It is recorded; nothing is called.
struct PickleCall {
  std::string function;
  PickleRef arguments;  ///< a PickleTuple
};

using PickleValue = std::variant<PickleNone, bool, int64_t, double, std::string_view, PickleTuple, PickleDict,
                                 PickleGlobal, PicklePersistent, PickleCall>;

struct Pickle {
  std::vector<PickleValue> values;
  PickleRef root = 0;

  /// The value as a T, or null where it is something else.
  template <typename T>
  const T* get(PickleRef ref) const {
    return std::get_if<T>(&values[ref]);
  }
};

/// What kind of value this is, for messages: "a dict".
std::string_view kind_of(const PickleValue& value);

/// Reads a pickle of protocol 2 to 5 made of None, numbers, texts, tuples, lists, dicts, and calls of and
/// references to the allowed globals. `collections.OrderedDict` is always allowed and read as a dict.
/// Texts point into `bytes`. Memory is at most proportional to the pickle.
/// @throws InputError on every other opcode or global (named) and on malformed pickles.
Pickle parse_pickle(std::span<const std::byte> bytes, std::span<const std::string_view> allowed,
                    const std::string& where);

}  // namespace saescope
