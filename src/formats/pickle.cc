#include "formats/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "base/error.h"
#include "formats/byte_reader.h"

// Opcodes and their meaning: Lib/pickletools.py of CPython.

namespace saescope {
namespace {

/// A state dict of thousands of tensors takes less than 1 MiB; values take some 80 times the bytes.
constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
constexpr uint8_t kMinProtocol = 2;
constexpr uint8_t kMaxProtocol = 5;
constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kPickle = "pickle";

enum class Opcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8A,
  kBinFloat = 'G',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kShortBinUnicode = 0x8C,
  kBinUnicode = 'X',
  kBinUnicode8 = 0x8D,
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kGlobal = 'c',
  kStackGlobal = 0x93,
  kReduce = 'R',
  kBuild = 'b',
  kBinPersId = 'Q',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kMemoize = 0x94,
  kBinGet = 'h',
  kLongBinGet = 'j',
  kProto = 0x80,
  kFrame = 0x95,
};

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, std::span<const std::string_view> allowed,
          const std::string& where)
      : reader_(bytes, where), allowed_(allowed) {}

  Pickle run() {
    if (reader_.remaining() > kMaxBytes) {
      fail("the pickle is too long", fmt::format("at most {} bytes", kMaxBytes),
           fmt::format("{} bytes", reader_.remaining()));
    }
    while (true) {
      const auto opcode = reader_.number<Opcode>(kPickle);
      if (opcode == Opcode::kStop) break;
      if (!step_value(opcode) && !step_structure(opcode) && !step_memo(opcode)) fail_opcode(opcode);
    }
    pickle_.root = pop();
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void fail(std::string what, std::string expected, std::string found) const {
    throw InputError({.what = std::move(what),
                      .where = reader_.where(),
                      .expected = std::move(expected),
                      .found = std::move(found)});
  }

  [[noreturn]] void fail_malformed(std::string_view expected) const {
    fail("the pickle is malformed", std::string(expected),
         fmt::format("something else before byte {}", reader_.position()));
  }

  [[noreturn]] void fail_opcode(Opcode opcode) const {
    const auto code = static_cast<uint8_t>(opcode);
    const std::string shown = code > ' ' && code < 0x7F ? fmt::format(" '{}'", char(code)) : "";
    fail(fmt::format("pickle uses opcode {:#04x}{}, which is not on the allow-list", code, shown),
         "a dict of tensors and numbers", fmt::format("the opcode at byte {}", reader_.position() - 1));
  }

  /// Opcodes that push a value without looking at others.
  bool step_value(Opcode opcode) {
    switch (opcode) {
      case Opcode::kNone:
        push(PickleNone{});
        return true;
      case Opcode::kNewTrue:
        push(true);
        return true;
      case Opcode::kNewFalse:
        push(false);
        return true;
      case Opcode::kBinInt:
        push(int64_t{reader_.number<int32_t>(kPickle)});
        return true;
      case Opcode::kBinInt1:
        push(int64_t{reader_.number<uint8_t>(kPickle)});
        return true;
      case Opcode::kBinInt2:
        push(int64_t{reader_.number<uint16_t>(kPickle)});
        return true;
      case Opcode::kLong1:
        push(read_long());
        return true;
      case Opcode::kBinFloat:
        push(read_big_endian_double());
        return true;
      case Opcode::kShortBinUnicode:
        push(text(reader_.number<uint8_t>(kPickle)));
        return true;
      case Opcode::kBinUnicode:
        push(text(reader_.number<uint32_t>(kPickle)));
        return true;
      case Opcode::kBinUnicode8:
        push(text(reader_.number<uint64_t>(kPickle)));
        return true;
      case Opcode::kEmptyTuple:
        push(PickleTuple{});
        return true;
      case Opcode::kEmptyList:
        push(PickleTuple{});
        return true;
      case Opcode::kEmptyDict:
        push(PickleDict{});
        return true;
      case Opcode::kGlobal:
        read_global();
        return true;
      default:
        return false;
    }
  }

  /// Opcodes that combine what is on the stack.
  bool step_structure(Opcode opcode) {
    switch (opcode) {
      case Opcode::kMark:
        marks_.push_back(stack_.size());
        return true;
      case Opcode::kTuple:
        push(PickleTuple{pop_to_mark()});
        return true;
      case Opcode::kTuple1:
        push(PickleTuple{pop_last(1)});
        return true;
      case Opcode::kTuple2:
        push(PickleTuple{pop_last(2)});
        return true;
      case Opcode::kTuple3:
        push(PickleTuple{pop_last(3)});
        return true;
      case Opcode::kAppend:
        append_items(pop_last(1));
        return true;
      case Opcode::kAppends:
        append_items(pop_to_mark());
        return true;
      case Opcode::kSetItem:
        set_items(pop_last(2));
        return true;
      case Opcode::kSetItems:
        set_items(pop_to_mark());
        return true;
      case Opcode::kStackGlobal:
        stack_global();
        return true;
      case Opcode::kReduce:
        reduce();
        return true;
      case Opcode::kBuild:
        build();
        return true;
      case Opcode::kBinPersId:
        push(PicklePersistent{pop()});
        return true;
      default:
        return false;
    }
  }

  /// Opcodes that name values, and those that say something about the pickle itself.
  bool step_memo(Opcode opcode) {
    switch (opcode) {
      case Opcode::kBinPut:
        memo_[reader_.number<uint8_t>(kPickle)] = top();
        return true;
      case Opcode::kLongBinPut:
        memo_[reader_.number<uint32_t>(kPickle)] = top();
        return true;
      case Opcode::kMemoize:
        memo_[static_cast<uint32_t>(memo_.size())] = top();
        return true;
      case Opcode::kBinGet:
        recall(reader_.number<uint8_t>(kPickle));
        return true;
      case Opcode::kLongBinGet:
        recall(reader_.number<uint32_t>(kPickle));
        return true;
      case Opcode::kProto:
        check_protocol(reader_.number<uint8_t>(kPickle));
        return true;
      case Opcode::kFrame:
        reader_.take(sizeof(uint64_t), kPickle);
        return true;
      default:
        return false;
    }
  }

  void push(PickleValue value) {
    stack_.push_back(static_cast<PickleRef>(pickle_.values.size()));
    pickle_.values.push_back(std::move(value));
  }

  /// How many values lie above the last mark: what opcodes without a mark may take.
  std::size_t available() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

  PickleRef top() const {
    if (available() == 0) fail_malformed("a value on the stack");
    return stack_.back();
  }

  PickleRef pop() {
    const PickleRef ref = top();
    stack_.pop_back();
    return ref;
  }

  std::vector<PickleRef> pop_last(std::size_t count) {
    if (available() < count) fail_malformed(fmt::format("{} values on the stack", count));
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<PickleRef> values(first, stack_.end());
    stack_.erase(first, stack_.end());
    return values;
  }

  std::vector<PickleRef> pop_to_mark() {
    if (marks_.empty()) fail_malformed("a mark on the stack");
    std::vector<PickleRef> values = pop_last(available());
    marks_.pop_back();
    return values;
  }

  void append_items(const std::vector<PickleRef>& items) {
    auto* list = std::get_if<PickleTuple>(&pickle_.values[top()]);
    if (list == nullptr) fail_malformed("a list and values to append");
    list->items.insert(list->items.end(), items.begin(), items.end());
  }

  void set_items(const std::vector<PickleRef>& items) {
    auto* dict = std::get_if<PickleDict>(&pickle_.values[top()]);
    if (dict == nullptr || items.size() % 2 != 0) fail_malformed("a dict and pairs to put in it");
    for (std::size_t i = 0; i < items.size(); i += 2) dict->items.emplace_back(items[i], items[i + 1]);
  }

  void push_global(std::string name) {
    if (name != kOrderedDict && std::find(allowed_.begin(), allowed_.end(), name) == allowed_.end()) {
      throw InputError({.what = fmt::format("pickle asks for {:.200}, which is not on the allow-list", name),
                        .where = reader_.where(),
                        .expected = "a dict of tensors and numbers",
                        .found = {},
                        .hint = "save the state dict alone: torch.save(module.state_dict(), path)"});
    }
    push(PickleGlobal{std::move(name)});
  }

  void read_global() {
    std::string name = line();
    name += '.';
    name += line();
    push_global(std::move(name));
  }

  void stack_global() {
    const PickleRef name = pop();
    const PickleRef module = pop();
    const auto* name_text = pickle_.get<std::string_view>(name);
    const auto* module_text = pickle_.get<std::string_view>(module);
    if (name_text == nullptr || module_text == nullptr) fail_malformed("the name of a global");
    push_global(fmt::format("{}.{}", *module_text, *name_text));
  }

  void reduce() {
    const PickleRef arguments = pop();
    const PickleRef function = pop();
    const auto* tuple = pickle_.get<PickleTuple>(arguments);
    const auto* global = pickle_.get<PickleGlobal>(function);
    if (tuple == nullptr || global == nullptr) fail_malformed("a function and its arguments");
    if (global->name != kOrderedDict) {
      push(PickleCall{global->name, arguments});
    } else if (tuple->items.empty()) {
      push(PickleDict{});
    } else {
      fail_malformed("an OrderedDict made empty");
    }
  }

  /// Sets attributes of an object. Modules' state dicts have one, `_metadata`, which tensors do not need.
  void build() {
    const PickleRef state = pop();
    if (pickle_.get<PickleDict>(state) == nullptr || pickle_.get<PickleDict>(top()) == nullptr) {
      fail_malformed("attributes of an OrderedDict");
    }
  }

  void recall(uint32_t index) {
    const auto entry = memo_.find(index);
    if (entry == memo_.end()) fail_malformed("a value that was memorised");
    stack_.push_back(entry->second);
  }

  void check_protocol(uint8_t protocol) const {
    if (protocol < kMinProtocol || protocol > kMaxProtocol) {
      fail("this version of the pickle format is not supported",
           fmt::format("protocol {} to {}", kMinProtocol, kMaxProtocol), fmt::format("{}", protocol));
    }
  }

  std::string_view text(uint64_t length) { return reader_.text(length, "text of a pickle"); }

  std::string line() {
    std::string result;
    while (true) {
      const char c = reader_.number<char>(kPickle);
      if (c == '\n') return result;
      result.push_back(c);
    }
  }

  /// Little-endian two's complement of up to 8 bytes.
  int64_t read_long() {
    const auto length = reader_.number<uint8_t>(kPickle);
    if (length > sizeof(int64_t)) fail_malformed("an integer of at most 64 bits");
    if (length == 0) return 0;
    const auto bytes = reader_.take(length, kPickle);
    const bool negative = (bytes.back() & std::byte{0x80}) != std::byte{0};
    int64_t value = negative ? -1 : 0;
    std::memcpy(&value, bytes.data(), length);
    return value;
  }

  double read_big_endian_double() {
    return std::bit_cast<double>(__builtin_bswap64(reader_.number<uint64_t>(kPickle)));
  }

  ByteReader reader_;
  std::span<const std::string_view> allowed_;
  Pickle pickle_;
  std::vector<PickleRef> stack_;
  std::vector<std::size_t> marks_;  ///< sizes of the stack when MARK was read
  std::unordered_map<uint32_t, PickleRef> memo_;
};

}  // namespace

std::string_view kind_of(const PickleValue& value) {
  constexpr std::array<std::string_view, std::variant_size_v<PickleValue>> kKinds = {
      "None",    "a bool", "an integer", "a float",   "a text",
      "a tuple", "a dict", "a class",    "a storage", "an object"};
  return kKinds[value.index()];
}

Pickle parse_pickle(std::span<const std::byte> bytes, std::span<const std::string_view> allowed,
                    const std::string& where) {
  return Machine(bytes, allowed, where).run();
}

}  // namespace saescope
