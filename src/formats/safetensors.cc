#include "formats/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "formats/byte_reader.h"
#include "formats/extent.h"

namespace saescope {
namespace {

using nlohmann::json;

/// Headers of models take less than 1 MiB; parsed, one takes up to 25 times its text. (The safetensors
/// library stops at 100 MB.)
constexpr uint64_t kMaxHeaderBytes = uint64_t{16} << 20;
constexpr std::string_view kMetadataKey = "__metadata__";

struct FileDType {
  std::string_view name;
  uint64_t bits;
  std::optional<DType> dtype;  ///< nothing: the program has no use for it
};

constexpr std::array<FileDType, 22> kFileDTypes = {{
    {"F32", 32, DType::kF32},         {"F16", 16, DType::kF16},     {"BF16", 16, DType::kBF16},
    {"I64", 64, DType::kI64},         {"I32", 32, DType::kI32},     {"BOOL", 8, DType::kBool},
    {"F64", 64, std::nullopt},        {"U64", 64, std::nullopt},    {"C64", 64, std::nullopt},
    {"U32", 32, std::nullopt},        {"I16", 16, std::nullopt},    {"U16", 16, std::nullopt},
    {"I8", 8, std::nullopt},          {"U8", 8, std::nullopt},      {"F8_E4M3", 8, std::nullopt},
    {"F8_E5M2", 8, std::nullopt},     {"F8_E8M0", 8, std::nullopt}, {"F8_E4M3FNUZ", 8, std::nullopt},
    {"F8_E5M2FNUZ", 8, std::nullopt}, {"F6_E2M3", 6, std::nullopt}, {"F6_E3M2", 6, std::nullopt},
    {"F4", 4, std::nullopt},
}};

/// One entry of the header, checked against itself; the offsets count from the end of the header.
struct Entry {
  std::string name;
  FileDType type;
  Shape shape;
  uint64_t begin;
  uint64_t end;
};

class SafetensorsParser {
 public:
  SafetensorsParser(std::span<const std::byte> bytes, const std::string& where)
      : bytes_(bytes), where_(where) {}

  SafetensorsFile parse() {
    ByteReader reader(bytes_, where_);
    const json header = parse_header(header_text(reader));
    const auto data = bytes_.subspan(reader.position());
    SafetensorsFile file;
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadataKey) {
        file.metadata = parse_metadata(value);
      } else {
        entries.push_back(parse_entry(name, value));
      }
    }
    check_coverage(entries, data.size());
    for (Entry& entry : entries) {
      if (!entry.type.dtype) continue;
      check_alignment(entry, reader.position());
      file.tensors.emplace(std::move(entry.name), TensorView::dense(*entry.type.dtype, std::move(entry.shape),
                                                                    data.data() + entry.begin));
    }
    return file;
  }

 private:
  [[noreturn]] void fail(std::string what, std::string expected, std::string found) const {
    throw InputError({.what = std::move(what),
                      .where = where_,
                      .expected = std::move(expected),
                      .found = std::move(found)});
  }

  [[noreturn]] void fail_tensor(const std::string& name, std::string_view what, std::string expected,
                                std::string found) const {
    fail(fmt::format("tensor '{}': {}", name, what), std::move(expected), std::move(found));
  }

  std::string_view header_text(ByteReader& reader) const {
    const auto length = reader.number<uint64_t>("length of the header");
    if (length > kMaxHeaderBytes) {
      fail("this is not a safetensors file: the length of the header is out of range",
           fmt::format("at most {} bytes", kMaxHeaderBytes), fmt::format("{}", length));
    }
    const std::string_view text = reader.text(length, "header");
    if (!text.starts_with('{')) {
      fail("this is not a safetensors file: the header is not a JSON object", "'{'",
           text.empty() ? "an empty header" : fmt::format("byte {:#04x}", text.front() & 0xFF));
    }
    // The JSON library takes a NUL for the end of the text, whatever follows.
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
      fail("the header is not valid JSON", "a JSON object in UTF-8",
           fmt::format("a NUL byte at byte {}", nul));
    }
    return text;
  }

  /// The JSON library keeps the last of two equal keys, so keys are watched while they are read.
  json parse_header(std::string_view text) const {
    constexpr int kDepthOfNames = 1;
    constexpr int kDepthOfFields = 2;
    constexpr int kDepthOfArrays = 3;
    std::set<std::string> names;
    std::set<std::string> fields;
    const auto watch = [&](int depth, json::parse_event_t event, json& value) {
      const bool opens =
          event == json::parse_event_t::array_start || event == json::parse_event_t::object_start;
      if (depth + (opens ? 1 : 0) > kDepthOfArrays) {
        fail("the header is nested too deeply", "tensors with fields", "");
      }
      if (event != json::parse_event_t::key) return true;
      const auto& key = value.get_ref<const std::string&>();
      if (depth == kDepthOfNames) fields.clear();
      auto& seen = depth == kDepthOfNames ? names : fields;
      if (depth <= kDepthOfFields && !seen.insert(key).second) {
        fail("the header has a key twice", "every name once", fmt::format("'{}'", key));
      }
      return true;
    };
    try {
      return json::parse(text.begin(), text.end(), watch);
    } catch (const json::exception& error) {
      fail("the header is not valid JSON", "a JSON object in UTF-8", error.what());
    }
  }

  std::map<std::string, std::string> parse_metadata(const json& value) const {
    std::map<std::string, std::string> metadata;
    if (!value.is_object()) fail("__metadata__ has the wrong type", "an object", value.type_name());
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) {
        fail(fmt::format("__metadata__ key '{}' has the wrong type", key), "a string", text.type_name());
      }
      metadata.emplace(key, text.get<std::string>());
    }
    return metadata;
  }

  std::vector<uint64_t> parse_numbers(const std::string& name, const json& fields, const char* key) const {
    const auto field = fields.find(key);
    if (field == fields.end() || !field->is_array()) {
      fail_tensor(name, fmt::format("{} is missing or malformed", key), "an array of integers", {});
    }
    std::vector<uint64_t> numbers;
    for (const json& number : *field) {
      if (!number.is_number_unsigned()) {
        fail_tensor(name, fmt::format("{} is malformed", key), "integers from 0 on", number.dump());
      }
      numbers.push_back(number.get<uint64_t>());
    }
    return numbers;
  }

  FileDType parse_dtype(const std::string& name, const json& fields) const {
    const auto field = fields.find("dtype");
    if (field == fields.end() || !field->is_string()) {
      fail_tensor(name, "dtype is missing or malformed", "a string such as \"BF16\"", {});
    }
    const auto& text = field->get_ref<const std::string&>();
    const auto* type = std::find_if(kFileDTypes.begin(), kFileDTypes.end(),
                                    [&](const FileDType& t) { return t.name == text; });
    if (type == kFileDTypes.end()) {
      fail_tensor(name, "unknown dtype", "a dtype of the safetensors format", text);
    }
    return *type;
  }

  Entry parse_entry(const std::string& name, const json& fields) const {
    if (!fields.is_object()) fail_tensor(name, "is malformed", "an object", fields.type_name());
    Entry entry{.name = name,
                .type = parse_dtype(name, fields),
                .shape = parse_numbers(name, fields, "shape"),
                .begin = 0,
                .end = 0};
    const std::vector<uint64_t> offsets = parse_numbers(name, fields, "data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1]) {
      fail_tensor(name, "data_offsets are malformed", "[begin, end]", fmt::format("{}", to_string(offsets)));
    }
    entry.begin = offsets[0];
    entry.end = offsets[1];
    const auto elements = checked_element_count(entry.shape);
    const auto bits = elements ? checked_mul(*elements, entry.type.bits) : std::nullopt;
    if (!bits || *bits % 8 != 0 || *bits / 8 != entry.end - entry.begin) {
      fail_tensor(
          name, "shape and data_offsets disagree",
          bits ? fmt::format("{} bytes for {} of {}", *bits / 8, to_string(entry.shape), entry.type.name)
               : fmt::format("a shape whose size 64 bits hold, not {}", to_string(entry.shape)),
          fmt::format("{} bytes", entry.end - entry.begin));
    }
    return entry;
  }

  /// The format allows neither holes nor overlaps, nor bytes behind the last tensor.
  void check_coverage(std::vector<Entry>& entries, uint64_t data_size) const {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    uint64_t covered = 0;
    for (const Entry& entry : entries) {
      if (entry.begin != covered) {
        fail_tensor(entry.name, entry.begin < covered ? "overlaps another tensor" : "leaves a hole before it",
                    fmt::format("data from byte {}", covered), fmt::format("byte {}", entry.begin));
      }
      covered = entry.end;
    }
    if (covered != data_size) {
      throw InputError(
          {.what = "the tensors do not fill the file",
           .where = where_,
           .expected = fmt::format("{} bytes of data", covered),
           .found = fmt::format("{} bytes", data_size),
           .hint = covered > data_size ? "the file was not downloaded completely; get it again" : ""});
    }
  }

  void check_alignment(const Entry& entry, uint64_t data_start) const {
    if (is_aligned(data_start + entry.begin, *entry.type.dtype)) return;
    throw InputError({.what = fmt::format("tensor '{}' is not aligned to its element size", entry.name),
                      .where = where_,
                      .expected = fmt::format("a multiple of {} bytes", entry.type.bits / 8),
                      .found = fmt::format("byte {}", data_start + entry.begin),
                      .hint = "save the file again with a current version of safetensors"});
  }

  std::span<const std::byte> bytes_;
  const std::string& where_;
};

}  // namespace

SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, const std::string& where) {
  return SafetensorsParser(bytes, where).parse();
}

std::string safetensors_header(const std::vector<TensorToWrite>& tensors,
                               const std::map<std::string, std::string>& metadata) {
  std::vector<std::string> members;
  if (!metadata.empty()) members.push_back(fmt::format("\"{}\":{}", kMetadataKey, json(metadata).dump()));
  uint64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    const uint64_t end = offset + storage_bytes(tensor.view.dtype, element_count(tensor.view.shape)).value();
    const json entry = {
        {"dtype", name_of(tensor.view.dtype)}, {"shape", tensor.view.shape}, {"data_offsets", {offset, end}}};
    members.push_back(fmt::format("{}:{}", json(tensor.name).dump(), entry.dump()));
    offset = end;
  }
  std::string text = fmt::format("{{{}}}", fmt::join(members, ","));
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  std::string header(sizeof(length), '\0');
  std::memcpy(header.data(), &length, sizeof(length));
  return header + text;
}

}  // namespace saescope
