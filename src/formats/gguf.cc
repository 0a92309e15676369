#include "formats/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "formats/byte_reader.h"
#include "formats/extent.h"

// Layout: docs/gguf.md of the ggml repository. Names and numbers of the tensor types: ggml.h.

namespace saescope {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr uint64_t kDefaultAlignment = 32;
constexpr uint32_t kMaxGgufDimensions = 4;
// Far above any model's; they bound what a malformed file can make the program allocate. A vocabulary of
// 262,144 tokens comes with 1.3 million elements (tokens, merges, types, scores) in 8 MiB of text.
constexpr uint64_t kMaxElements = uint64_t{1} << 22;
constexpr uint64_t kMaxTextBytes = uint64_t{64} << 20;
constexpr uint64_t kMaxGgufEntries = uint64_t{1} << 16;  // tensors, and metadata values
constexpr uint64_t kReserveLimit = uint64_t{1} << 20;

enum class ValueType : uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

struct TensorType {
  uint32_t number;
  std::string_view name;
  std::optional<DType> dtype;  ///< nothing: the program cannot read it
};

constexpr std::array<TensorType, 34> kTensorTypes = {{
    {0, "F32", DType::kF32},        {1, "F16", DType::kF16},       {2, "Q4_0", DType::kQ4_0},
    {3, "Q4_1", DType::kQ4_1},      {6, "Q5_0", DType::kQ5_0},     {7, "Q5_1", DType::kQ5_1},
    {8, "Q8_0", DType::kQ8_0},      {9, "Q8_1", std::nullopt},     {10, "Q2_K", DType::kQ2_K},
    {11, "Q3_K", DType::kQ3_K},     {12, "Q4_K", DType::kQ4_K},    {13, "Q5_K", DType::kQ5_K},
    {14, "Q6_K", DType::kQ6_K},     {15, "Q8_K", std::nullopt},    {16, "IQ2_XXS", std::nullopt},
    {17, "IQ2_XS", std::nullopt},   {18, "IQ3_XXS", std::nullopt}, {19, "IQ1_S", std::nullopt},
    {20, "IQ4_NL", DType::kIQ4_NL}, {21, "IQ3_S", std::nullopt},   {22, "IQ2_S", std::nullopt},
    {23, "IQ4_XS", DType::kIQ4_XS}, {24, "I8", std::nullopt},      {25, "I16", std::nullopt},
    {26, "I32", DType::kI32},       {27, "I64", DType::kI64},      {28, "F64", std::nullopt},
    {29, "IQ1_M", std::nullopt},    {30, "BF16", DType::kBF16},    {34, "TQ1_0", std::nullopt},
    {35, "TQ2_0", std::nullopt},    {39, "MXFP4", DType::kMXFP4},  {40, "NVFP4", std::nullopt},
    {41, "Q1_0", std::nullopt},
}};

TensorType tensor_type(uint32_t number) {
  const auto* type = std::find_if(kTensorTypes.begin(), kTensorTypes.end(),
                                  [&](const TensorType& t) { return t.number == number; });
  return type == kTensorTypes.end() ? TensorType{number, {}, std::nullopt} : *type;
}

/// One entry of the tensor list; the offset counts from the start of the data.
struct TensorInfo {
  std::string name;
  Shape shape;  ///< row-major
  TensorType type;
  uint64_t offset = 0;
};

class GgufParser {
 public:
  GgufParser(std::span<const std::byte> bytes, const std::string& where)
      : bytes_(bytes), reader_(bytes, where) {}

  GgufFile parse() {
    file_.where = reader_.where();
    file_.version = parse_version();
    const auto tensor_count = reader_.number<uint64_t>("number of tensors");
    const auto value_count = reader_.number<uint64_t>("number of metadata values");
    check_count(tensor_count, "tensors");
    check_count(value_count, "metadata values");
    for (uint64_t i = 0; i < value_count; ++i) parse_metadata_entry();
    std::vector<TensorInfo> infos;
    for (uint64_t i = 0; i < tensor_count; ++i) infos.push_back(parse_tensor_info());
    const uint64_t alignment = parse_alignment();
    const uint64_t padding = (alignment - reader_.position() % alignment) % alignment;
    // A file of metadata alone may end without the padding.
    if (!infos.empty()) reader_.take(padding, "padding before the tensors");
    for (TensorInfo& info : infos) add_tensor(info, alignment);
    return std::move(file_);
  }

 private:
  [[noreturn]] void fail(std::string what, std::string expected, std::string found,
                         std::string hint = {}) const {
    throw InputError({.what = std::move(what),
                      .where = reader_.where(),
                      .expected = std::move(expected),
                      .found = std::move(found),
                      .hint = std::move(hint)});
  }

  void check_count(uint64_t count, std::string_view what) const {
    if (count <= kMaxGgufEntries) return;
    fail(fmt::format("the file has too many {}", what), fmt::format("at most {}", kMaxGgufEntries),
         fmt::format("{}", count));
  }

  uint32_t parse_version() {
    if (reader_.text(kMagic.size(), "file signature") != kMagic) {
      fail("this is not a GGUF file", "the signature 'GGUF'", "other bytes");
    }
    const auto version = reader_.number<uint32_t>("version");
    if ((version & 0xFFFFu) == 0) {
      fail("this GGUF file is big endian", "a little-endian file", {},
           "get the file for little-endian machines, or convert it with gguf_convert_endian.py");
    }
    if (version != 2 && version != 3) {
      fail("this version of GGUF is not supported", "version 2 or 3", fmt::format("{}", version),
           "convert the model again with a current converter");
    }
    return version;
  }

  std::string_view text(std::string_view what) {
    const auto length = reader_.number<uint64_t>(what);
    const std::string_view value = reader_.text(length, what);
    if (length > kMaxTextBytes - text_bytes_) {
      fail(fmt::format("the texts of the metadata are too long (at '{}')", what),
           fmt::format("at most {} bytes together", kMaxTextBytes), fmt::format("{} more bytes", length));
    }
    text_bytes_ += length;
    return value;
  }

  void parse_metadata_entry() {
    const std::string_view key = text("metadata key");
    const auto type = reader_.number<ValueType>("type of a metadata value");
    if (file_.metadata.contains(key)) fail("a metadata key occurs twice", {}, fmt::format("'{}'", key));
    file_.metadata.emplace(key, type == ValueType::kArray ? parse_array(key) : parse_scalar(key, type));
  }

  GgufValue parse_scalar(std::string_view key, ValueType type) {
    switch (type) {
      case ValueType::kUint8:
        return integer<uint8_t>(key);
      case ValueType::kInt8:
        return integer<int8_t>(key);
      case ValueType::kUint16:
        return integer<uint16_t>(key);
      case ValueType::kInt16:
        return integer<int16_t>(key);
      case ValueType::kUint32:
        return integer<uint32_t>(key);
      case ValueType::kInt32:
        return integer<int32_t>(key);
      case ValueType::kUint64:
        return integer<uint64_t>(key);
      case ValueType::kInt64:
        return integer<int64_t>(key);
      case ValueType::kFloat32:
        return double{reader_.number<float>(key)};
      case ValueType::kFloat64:
        return reader_.number<double>(key);
      case ValueType::kBool:
        return boolean(key);
      case ValueType::kString:
        return std::string(text(key));
      case ValueType::kArray:
        break;
    }
    fail_type(key, type);
  }

  GgufValue parse_array(std::string_view key) {
    const auto type = reader_.number<ValueType>(key);
    const auto length = reader_.number<uint64_t>(key);
    if (length > kMaxElements - elements_) {
      fail(fmt::format("metadata '{}' is too long", key),
           fmt::format("at most {} elements in all arrays together", kMaxElements),
           fmt::format("{}", length));
    }
    elements_ += length;
    const auto array_of = [&](auto read_element) {
      std::vector<decltype(read_element())> values;
      values.reserve(std::min(length, kReserveLimit));
      for (uint64_t i = 0; i < length; ++i) values.push_back(read_element());
      return values;
    };
    switch (type) {
      case ValueType::kUint8:
        return array_of([&] { return integer<uint8_t>(key); });
      case ValueType::kInt8:
        return array_of([&] { return integer<int8_t>(key); });
      case ValueType::kUint16:
        return array_of([&] { return integer<uint16_t>(key); });
      case ValueType::kInt16:
        return array_of([&] { return integer<int16_t>(key); });
      case ValueType::kUint32:
        return array_of([&] { return integer<uint32_t>(key); });
      case ValueType::kInt32:
        return array_of([&] { return integer<int32_t>(key); });
      case ValueType::kUint64:
        return array_of([&] { return integer<uint64_t>(key); });
      case ValueType::kInt64:
        return array_of([&] { return integer<int64_t>(key); });
      case ValueType::kFloat32:
        return array_of([&] { return double{reader_.number<float>(key)}; });
      case ValueType::kFloat64:
        return array_of([&] { return reader_.number<double>(key); });
      case ValueType::kBool:
        return array_of([&] { return boolean(key); });
      case ValueType::kString:
        return array_of([&] { return std::string(text(key)); });
      case ValueType::kArray:
        fail(fmt::format("metadata '{}' is an array of arrays", key), "an array of plain values", {});
    }
    fail_type(key, type);
  }

  [[noreturn]] void fail_type(std::string_view key, ValueType type) const {
    fail(fmt::format("metadata '{}' has an unknown type", key), "a type number from 0 to 12",
         fmt::format("{}", static_cast<uint32_t>(type)));
  }

  template <typename T>
  int64_t integer(std::string_view key) {
    const T value = reader_.number<T>(key);
    if (!std::in_range<int64_t>(value)) {
      fail(fmt::format("metadata '{}' is out of range", key), "an integer below 2^63",
           fmt::format("{}", value));
    }
    return static_cast<int64_t>(value);
  }

  bool boolean(std::string_view key) {
    const auto value = reader_.number<uint8_t>(key);
    if (value > 1) fail(fmt::format("metadata '{}' is no bool", key), "0 or 1", fmt::format("{}", value));
    return value == 1;
  }

  uint64_t parse_alignment() const {
    const auto* value = file_.find<int64_t>(kAlignmentKey);
    if (value == nullptr) return kDefaultAlignment;
    if (*value <= 0 || (*value & (*value - 1)) != 0) {
      fail(fmt::format("{} is malformed", kAlignmentKey), "a power of two", fmt::format("{}", *value));
    }
    return static_cast<uint64_t>(*value);
  }

  TensorInfo parse_tensor_info() {
    TensorInfo info;
    info.name = text("name of a tensor");
    const auto dimensions = reader_.number<uint32_t>("number of dimensions of a tensor");
    if (dimensions > kMaxGgufDimensions) {
      fail(fmt::format("tensor '{}' has too many dimensions", info.name),
           fmt::format("at most {}", kMaxGgufDimensions), fmt::format("{}", dimensions));
    }
    for (uint32_t i = 0; i < dimensions; ++i) {
      info.shape.push_back(reader_.number<uint64_t>("shape of a tensor"));
    }
    std::reverse(info.shape.begin(), info.shape.end());
    info.type = tensor_type(reader_.number<uint32_t>("type of a tensor"));
    info.offset = reader_.number<uint64_t>("offset of a tensor");
    return info;
  }

  void add_tensor(TensorInfo& info, uint64_t alignment) {
    if (file_.tensors.contains(info.name) || file_.unsupported.contains(info.name)) {
      fail("a tensor occurs twice", {}, fmt::format("'{}'", info.name));
    }
    const auto data = bytes_.subspan(reader_.position());
    if (info.offset % alignment != 0 || info.offset > data.size()) {
      fail(fmt::format("tensor '{}' has a bad offset", info.name),
           fmt::format("a multiple of {} up to {}", alignment, data.size()), fmt::format("{}", info.offset));
    }
    if (!info.type.dtype) {
      file_.unsupported.emplace(info.name, info.type.name.empty() ? fmt::format("type {}", info.type.number)
                                                                  : std::string(info.type.name));
      return;
    }
    check_extent(info, data.size());
    file_.tensors.emplace(std::move(info.name), TensorView::dense(*info.type.dtype, std::move(info.shape),
                                                                  data.data() + info.offset));
  }

  void check_extent(const TensorInfo& info, uint64_t data_size) const {
    const DType dtype = *info.type.dtype;
    const uint64_t block = layout_of(dtype).block_elements;
    if (const uint64_t row = info.shape.empty() ? 1 : info.shape.back(); row % block != 0) {
      fail(fmt::format("tensor '{}' has rows that are no whole blocks of {}", info.name, name_of(dtype)),
           fmt::format("a multiple of {}", block), to_string(info.shape));
    }
    const auto elements = checked_element_count(info.shape);
    const auto size = elements ? storage_bytes(dtype, *elements) : std::nullopt;
    if (!size || !range_fits(info.offset, *size, data_size)) {
      fail(fmt::format("tensor '{}' ({} of {}) leaves the file", info.name, to_string(info.shape),
                       name_of(dtype)),
           size ? fmt::format("{} bytes from byte {} of the data", *size, info.offset) : std::string{},
           fmt::format("{} bytes of data", data_size),
           "the file is damaged or was not downloaded completely; get it again");
    }
    if (!is_aligned(info.offset + reader_.position(), dtype)) {
      fail(fmt::format("tensor '{}' is not aligned to its element size", info.name),
           fmt::format("a multiple of {}", layout_of(dtype).block_bytes),
           fmt::format("byte {}", info.offset + reader_.position()));
    }
  }

  std::span<const std::byte> bytes_;
  ByteReader reader_;
  GgufFile file_;
  uint64_t elements_ = 0;    ///< of all arrays so far
  uint64_t text_bytes_ = 0;  ///< of all texts so far
};

template <typename T>
constexpr std::string_view kTypeName = {};
template <>
constexpr std::string_view kTypeName<bool> = "a bool";
template <>
constexpr std::string_view kTypeName<int64_t> = "an integer";
template <>
constexpr std::string_view kTypeName<double> = "a float";
template <>
constexpr std::string_view kTypeName<std::string> = "a string";
template <>
constexpr std::string_view kTypeName<std::vector<bool>> = "an array of bools";
template <>
constexpr std::string_view kTypeName<std::vector<int64_t>> = "an array of integers";
template <>
constexpr std::string_view kTypeName<std::vector<double>> = "an array of floats";
template <>
constexpr std::string_view kTypeName<std::vector<std::string>> = "an array of strings";

std::string_view type_name(const GgufValue& value) {
  return std::visit([](const auto& v) { return kTypeName<std::decay_t<decltype(v)>>; }, value);
}

}  // namespace

template <typename T>
const T* GgufFile::find(std::string_view key) const {
  const auto entry = metadata.find(key);
  if (entry == metadata.end()) return nullptr;
  if (const T* value = std::get_if<T>(&entry->second)) return value;
  throw InputError({.what = fmt::format("metadata '{}' has the wrong type", key),
                    .where = where,
                    .expected = std::string(kTypeName<T>),
                    .found = std::string(type_name(entry->second))});
}

template <typename T>
const T& GgufFile::require(std::string_view key) const {
  if (const T* value = find<T>(key)) return *value;
  throw InputError({.what = fmt::format("metadata '{}' is missing", key),
                    .where = where,
                    .expected = std::string(kTypeName<T>)});
}

#define SAESCOPE_INSTANTIATE(T)                                    \
  template const T* GgufFile::find<T>(std::string_view key) const; \
  template const T& GgufFile::require<T>(std::string_view key) const;
SAESCOPE_INSTANTIATE(bool)
SAESCOPE_INSTANTIATE(int64_t)
SAESCOPE_INSTANTIATE(double)
SAESCOPE_INSTANTIATE(std::string)
SAESCOPE_INSTANTIATE(std::vector<bool>)
SAESCOPE_INSTANTIATE(std::vector<int64_t>)
SAESCOPE_INSTANTIATE(std::vector<double>)
SAESCOPE_INSTANTIATE(std::vector<std::string>)
#undef SAESCOPE_INSTANTIATE

GgufFile parse_gguf(std::span<const std::byte> bytes, const std::string& where) {
  return GgufParser(bytes, where).parse();
}

}  // namespace saescope
