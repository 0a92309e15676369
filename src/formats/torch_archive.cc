#include "formats/torch_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "formats/extent.h"
#include "formats/pickle.h"
#include "formats/zip_archive.h"

// What torch.save writes: torch/serialization.py (`_save`) and torch/_utils.py (`_rebuild_*`) of PyTorch.

namespace saescope {
namespace {

constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";
constexpr std::array<std::string_view, 8> kAllowed = {
    kRebuildTensor,          kRebuildParameter,   "torch.FloatStorage", "torch.HalfStorage",
    "torch.BFloat16Storage", "torch.LongStorage", "torch.IntStorage",   "torch.BoolStorage"};
/// PyTorch's own limit. It matters because one tuple of a small pickle can be the shape of many tensors.
constexpr std::size_t kMaxDimensions = 64;

std::optional<DType> storage_dtype(std::string_view global) {
  if (global == "torch.FloatStorage") return DType::kF32;
  if (global == "torch.HalfStorage") return DType::kF16;
  if (global == "torch.BFloat16Storage") return DType::kBF16;
  if (global == "torch.LongStorage") return DType::kI64;
  if (global == "torch.IntStorage") return DType::kI32;
  if (global == "torch.BoolStorage") return DType::kBool;
  return std::nullopt;
}

/// An entry of the archive as a row of `elements` numbers.
struct Storage {
  DType dtype;
  std::span<const std::byte> bytes;
  uint64_t elements;
};

/// Index past the last element that a strided tensor reaches; nothing where 64 bits do not hold it.
std::optional<uint64_t> end_of(uint64_t offset, const Shape& shape, const std::vector<uint64_t>& strides) {
  std::optional<uint64_t> last = offset;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0) return offset;
    const auto reach = checked_mul(shape[axis] - 1, strides[axis]);
    last = last && reach ? checked_add(*last, *reach) : std::nullopt;
  }
  return last ? checked_add(*last, 1) : std::nullopt;
}

/// PyTorch leaves the stride of an axis of one element to chance; where only those differ, or there
/// are no elements at all, the tensor is contiguous.
std::vector<uint64_t> normal_strides(const Shape& shape, std::vector<uint64_t> strides) {
  std::vector<uint64_t> contiguous = contiguous_strides(shape);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0) return contiguous;
  }
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] > 1 && strides[axis] != contiguous[axis]) return strides;
  }
  return contiguous;
}

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  TorchStateDict read() {
    check_signature();
    entries_ = parse_zip_archive(bytes_, where_);
    folder_ = find_folder();
    check_byte_order();
    pickle_ = parse_pickle(entries_.find(folder_ + "/data.pkl")->second, kAllowed, where_);
    const auto* dict = pickle_.get<PickleDict>(pickle_.root);
    if (dict == nullptr) {
      fail("the file does not hold a state dict", "a dict",
           std::string(kind_of(pickle_.values[pickle_.root])));
    }
    for (const auto& [key, value] : unwrap(*dict).items) add(key, value);
    strip_prefixes();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(std::string what, std::string expected, std::string found,
                         std::string hint = {}) const {
    throw InputError({.what = std::move(what),
                      .where = where_,
                      .expected = std::move(expected),
                      .found = std::move(found),
                      .hint = std::move(hint)});
  }

  [[noreturn]] void fail_tensor(std::string_view what, std::string expected, std::string found) const {
    fail(fmt::format("tensor '{}' {}", key_, what), std::move(expected), std::move(found));
  }

  void check_signature() const {
    const std::string_view start(reinterpret_cast<const char*>(bytes_.data()),
                                 std::min<std::size_t>(bytes_.size(), 2));
    if (start == "PK") return;
    const bool legacy = start == "\x80\x02";
    fail("this is not a torch archive", "a zip archive",
         legacy ? "a file of torch before 1.6" : "other bytes",
         legacy ? "load it with torch and save it again with torch.save" : "");
  }

  /// The state dict that a training checkpoint holds beside its optimizer's state, or the dict itself.
  const PickleDict& unwrap(const PickleDict& dict) const {
    constexpr std::array<std::string_view, 5> kNames = {"state_dict", "model_state_dict", "model", "module",
                                                        "sae"};
    for (const std::string_view name : kNames) {
      for (const auto& [key, value] : dict.items) {
        const auto* text = pickle_.get<std::string_view>(key);
        const auto* inner = pickle_.get<PickleDict>(value);
        if (text != nullptr && *text == name && inner != nullptr) return *inner;
      }
    }
    return dict;
  }

  /// What DataParallel and torch.compile put in front of every name.
  void strip_prefixes() {
    for (const std::string_view prefix : {"module.", "_orig_mod.", "module."}) {
      const auto has_prefix = [&](const auto& entry) { return entry.first.starts_with(prefix); };
      if (result_.tensors.empty() || !std::all_of(result_.tensors.begin(), result_.tensors.end(), has_prefix))
        continue;
      NamedTensors stripped;
      for (auto& [name, view] : result_.tensors)
        stripped.emplace(name.substr(prefix.size()), std::move(view));
      result_.tensors = std::move(stripped);
      decltype(result_.scalars) scalars;
      for (auto& [name, value] : result_.scalars) {
        scalars.emplace(name.starts_with(prefix) ? name.substr(prefix.size()) : name, value);
      }
      result_.scalars = std::move(scalars);
    }
  }

  /// The archive's only folder, named after the file as it was saved.
  std::string find_folder() const {
    constexpr std::string_view kSuffix = "/data.pkl";
    std::vector<std::string> folders;
    for (const auto& [name, contents] : entries_) {
      if (name.ends_with(kSuffix) && name.find('/') == name.size() - kSuffix.size()) {
        folders.push_back(name.substr(0, name.size() - kSuffix.size()));
      }
    }
    if (folders.size() != 1) {
      fail("this zip archive was not written by torch.save", "one entry NAME/data.pkl",
           fmt::format("{}", folders.size()));
    }
    return folders.front();
  }

  void check_byte_order() const {
    const auto entry = entries_.find(folder_ + "/byteorder");
    if (entry == entries_.end()) return;
    const std::string_view order(reinterpret_cast<const char*>(entry->second.data()), entry->second.size());
    if (order != "little") fail("the tensors have another byte order", "little", std::string(order));
  }

  void add(PickleRef key, PickleRef value) {
    const auto* text = pickle_.get<std::string_view>(key);
    if (text == nullptr) {
      fail("a key of the state dict is no text", "a text", std::string(kind_of(pickle_.values[key])));
    }
    key_ = *text;
    if (result_.tensors.contains(key_) || result_.scalars.contains(key_)) {
      fail("a key of the state dict occurs twice", {}, fmt::format("'{}'", key_));
    }
    if (const auto* flag = pickle_.get<bool>(value)) {
      result_.scalars.emplace(key_, *flag);
    } else if (const auto* integer = pickle_.get<int64_t>(value)) {
      result_.scalars.emplace(key_, *integer);
    } else if (const auto* number = pickle_.get<double>(value)) {
      result_.scalars.emplace(key_, *number);
    } else {
      result_.tensors.emplace(key_, tensor(value));
    }
  }

  TensorView tensor(PickleRef ref) const {
    const auto* call = pickle_.get<PickleCall>(ref);
    if (call != nullptr && call->function == kRebuildParameter) {
      const std::vector<PickleRef>& parameter = arguments_of(*call);
      call = parameter.empty() ? nullptr : pickle_.get<PickleCall>(parameter[0]);
    }
    if (call == nullptr) {
      fail(fmt::format("key '{}' of the state dict has a value that cannot be used", key_),
           "a tensor, a number or a bool", described(ref));
    }
    // (storage, offset, size, stride, requires_grad, backward_hooks[, metadata])
    const std::vector<PickleRef>& arguments = arguments_of(*call);
    if (call->function != kRebuildTensor || arguments.size() < 4) {
      fail_tensor("is malformed", std::string(kRebuildTensor), call->function);
    }
    const Storage source = storage(arguments[0]);
    const uint64_t offset = natural(arguments[1]);
    TensorView view{.dtype = source.dtype,
                    .shape = naturals(arguments[2]),
                    .strides = naturals(arguments[3]),
                    .data = source.bytes.data()};
    check_extent(view, offset, source);
    view.strides = normal_strides(view.shape, std::move(view.strides));
    // An empty tensor may name any offset, even one past its storage.
    if (element_count(view.shape) > 0) view.data += offset * layout_of(view.dtype).block_bytes;
    return view;
  }

  /// What kind of value, of a dict with some of its keys.
  std::string described(PickleRef ref) const {
    constexpr std::size_t kShown = 6;
    std::string text(kind_of(pickle_.values[ref]));
    const auto* dict = pickle_.get<PickleDict>(ref);
    if (dict == nullptr) return text;
    std::size_t shown = 0;
    for (const auto& [key, value] : dict->items) {
      const auto* name = pickle_.get<std::string_view>(key);
      if (name == nullptr || shown == kShown) continue;
      text += fmt::format("{}{}", shown++ == 0 ? " with the keys " : ", ", *name);
    }
    return shown < dict->items.size() ? text + ", …" : text;
  }

  const std::vector<PickleRef>& arguments_of(const PickleCall& call) const {
    return pickle_.get<PickleTuple>(call.arguments)->items;
  }

  void check_extent(const TensorView& view, uint64_t offset, const Storage& source) const {
    if (view.shape.size() != view.strides.size() || !checked_element_count(view.shape)) {
      fail_tensor("has a malformed shape", "a stride for each axis and a size that 64 bits hold",
                  fmt::format("shape {}, strides {}", to_string(view.shape), to_string(view.strides)));
    }
    const auto end = end_of(offset, view.shape, view.strides);
    if (!end || (*end > source.elements && element_count(view.shape) > 0)) {
      fail_tensor("leaves its storage", fmt::format("elements below {}", source.elements),
                  fmt::format("shape {}, strides {}, offset {}", to_string(view.shape),
                              to_string(view.strides), offset));
    }
  }

  /// The persistent id is ('storage', torch.XStorage, entry, location, elements).
  Storage storage(PickleRef ref) const {
    const auto* persistent = pickle_.get<PicklePersistent>(ref);
    const auto* id = persistent == nullptr ? nullptr : pickle_.get<PickleTuple>(persistent->id);
    if (id == nullptr || id->items.size() != 5) fail_storage();
    const auto* tag = pickle_.get<std::string_view>(id->items[0]);
    const auto* global = pickle_.get<PickleGlobal>(id->items[1]);
    const auto* entry_name = pickle_.get<std::string_view>(id->items[2]);
    const auto dtype = global == nullptr ? std::nullopt : storage_dtype(global->name);
    if (tag == nullptr || *tag != "storage" || !dtype || entry_name == nullptr) fail_storage();
    const std::string name = fmt::format("{}/data/{}", folder_, *entry_name);
    const auto entry = entries_.find(name);
    if (entry == entries_.end()) fail_tensor("has no storage", fmt::format("entry {}", name), "none");
    const Storage result{*dtype, entry->second, natural(id->items[4])};
    const auto size = storage_bytes(result.dtype, result.elements);
    if (!size || *size > result.bytes.size()) {
      fail_tensor("has a storage that is too short",
                  fmt::format("{} elements of {}", result.elements, name_of(result.dtype)),
                  fmt::format("{} bytes in entry {}", result.bytes.size(), name));
    }
    const auto position = static_cast<uint64_t>(result.bytes.data() - bytes_.data());
    if (!is_aligned(position, result.dtype)) {
      fail_tensor("is not aligned to its element size",
                  fmt::format("a multiple of {}", layout_of(result.dtype).block_bytes),
                  fmt::format("byte {}", position));
    }
    return result;
  }

  [[noreturn]] void fail_storage() const {
    fail_tensor("has a malformed storage", "('storage', torch.…Storage, entry, location, elements)", {});
  }

  uint64_t natural(PickleRef ref) const {
    const auto* number = pickle_.get<int64_t>(ref);
    if (number == nullptr || *number < 0) {
      fail_tensor("has a malformed size, stride or offset", "an integer from 0 on",
                  number == nullptr ? std::string(kind_of(pickle_.values[ref])) : fmt::format("{}", *number));
    }
    return static_cast<uint64_t>(*number);
  }

  std::vector<uint64_t> naturals(PickleRef ref) const {
    const auto* tuple = pickle_.get<PickleTuple>(ref);
    if (tuple == nullptr || tuple->items.size() > kMaxDimensions) {
      fail_tensor("has a malformed size or stride",
                  fmt::format("a tuple of at most {} integers", kMaxDimensions),
                  tuple == nullptr ? std::string(kind_of(pickle_.values[ref]))
                                   : fmt::format("{} integers", tuple->items.size()));
    }
    std::vector<uint64_t> numbers;
    for (const PickleRef item : tuple->items) numbers.push_back(natural(item));
    return numbers;
  }

  std::span<const std::byte> bytes_;
  const std::string& where_;
  ZipEntries entries_;
  std::string folder_;
  Pickle pickle_;
  std::string key_;  ///< the state dict's key at hand, for messages
  TorchStateDict result_;
};

}  // namespace

TorchStateDict parse_torch_archive(std::span<const std::byte> bytes, const std::string& where) {
  return Reader(bytes, where).read();
}

}  // namespace saescope
