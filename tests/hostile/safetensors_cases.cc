#include <nlohmann/json.hpp>

#include <stdexcept>

#include "formats/format_testing.h"
#include "hostile/changes.h"
#include "hostile/good_run.h"

namespace saescope::hostile {
namespace {

using testing::raw;

constexpr const char* kKey = R"("model.layers.0.self_attn.k_proj.weight":)";
constexpr const char* kKeyEntry = R"({"dtype":"F32","shape":[16,32],"data_offsets":[73984,76032]})";

/// A file of this header and no data.
Change header(const std::string& text) { return contents(raw(uint64_t{text.size()}) + text); }

/// The good file with another text in its header; the data stays aligned.
Change in_header(std::string from, std::string to) {
  return [from = std::move(from), to = std::move(to)](const std::filesystem::path& file) {
    const std::string bytes = slurp(file);
    uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    std::string text = bytes.substr(sizeof length, length);
    const std::size_t at = text.find(from);
    if (at == std::string::npos) throw std::logic_error("the header lacks " + from);
    text.replace(at, from.size(), to);
    text.append((8 - text.size() % 8) % 8, ' ');
    contents(raw(uint64_t{text.size()}) + text + bytes.substr(sizeof length + length))(file);
  };
}

/// The good file with another entry for the first key projection.
Change key_entry(const std::string& entry) {
  return in_header(std::string(kKey) + kKeyEntry, std::string(kKey) + entry);
}

std::string entry(const std::string& shape, const std::string& offsets) {
  return R"({"dtype":"F32","shape":[)" + shape + R"(],"data_offsets":[)" + offsets + "]}";
}

}  // namespace

std::vector<Case> safetensors_cases() {
  constexpr uint64_t kHeaderLimit = uint64_t{16} << 20;
  return {
      {"Empty", kWeights, contents(""), "empty file"},
      {"SevenBytes", kWeights, resized(7), "ends inside the length"},
      {"HeaderLengthHuge", kWeights, bytes_at(0, raw(~uint64_t{0})), "length of the header"},
      {"HeaderLengthPastTheEnd", kWeights, bytes_at(0, raw(uint64_t{210'000})), "ends inside the header"},
      {"HeaderLengthZero", kWeights, bytes_at(0, raw(uint64_t{0})), "not a safetensors file"},
      {"HeaderNotJson", kWeights, header("{\"a\": }"), "not valid JSON"},
      {"HeaderWithANul", kWeights, header(std::string("{}\0x", 4)), "a NUL byte"},
      {"HeaderInvalidUtf8", kWeights, header("{\"\xFF\": {}}"), "not valid JSON"},
      {"HeaderNestedDeep", kWeights, header("{\"a\":" + times("[", 100'000) + times("]", 100'000) + "}"),
       "nested too deeply"},
      {"HeaderOfAGigabyte", kWeights, sparse(raw(kGigabyte - 8), kGigabyte), "length of the header"},
      {"HeaderOfTinyEntries", kWeights,
       repeated(raw(kHeaderLimit) + "{\"a\":0", ",\"\":0", (kHeaderLimit - 8) / 5, ",\"b\":\"\"}"),
       "key twice"},
      {"HeaderOfManyDimensions", kWeights,
       repeated(raw(kHeaderLimit) + "{\"a\":{\"shape\":[0", ",0", (kHeaderLimit - 20) / 2, " ]}}"),
       "dtype is missing"},
      {"HeaderOfOneLongName", kWeights, repeated(raw(kHeaderLimit) + "{\"", "a", kHeaderLimit - 2), "JSON"},
      {"TensorNameTwice", kWeights, in_header(kKey, std::string(kKey) + kKeyEntry + "," + kKey), "key twice"},
      {"FieldTwice", kWeights,
       key_entry(R"({"dtype":"F32","dtype":"F16","shape":[16,32],"data_offsets":[0,4]})"), "key twice"},
      {"NameHoldsTerminalCommands", kWeights, header(R"({"\u001b[2Ja\nerror: b":{"dtype":"?"}})"),
       "unknown dtype"},
      {"OffsetsOverlap", kWeights, key_entry(entry("16,32", "73952,76000")), "overlaps"},
      {"OffsetsLeaveAHole", kWeights, key_entry(entry("16,16", "73984,75008")), "hole"},
      {"OffsetsReversed", kWeights, key_entry(entry("16,32", "76032,73984")), "data_offsets"},
      {"OffsetsPastTheEnd", kWeights, key_entry(entry("16,32", "9223372036854773760,9223372036854775808")),
       "hole"},
      {"OffsetsNegative", kWeights, key_entry(entry("16,32", "-2048,0")), "integers from 0 on"},
      {"OffsetsFractional", kWeights, key_entry(entry("16,32", "73984.0,76032.0")), "integers from 0 on"},
      {"OffsetsAreThree", kWeights, key_entry(entry("16,32", "73984,76032,76032")), "data_offsets"},
      {"ShapeOverflows", kWeights, key_entry(entry("4294967296,4294967296,4294967296", "73984,76032")),
       "64 bits"},
      {"ShapeOverflowsToItsSize", kWeights, key_entry(entry("16,32,9223372036854775809", "73984,76032")),
       "64 bits"},
      {"ShapeNegative", kWeights, key_entry(entry("-16,32", "73984,76032")), "integers from 0 on"},
      {"ShapeIsText", kWeights, key_entry(entry("\"16\",32", "73984,76032")), "integers from 0 on"},
      {"ShapeLargerThanItsData", kWeights, key_entry(entry("16,64", "73984,76032")), "disagree"},
      {"DtypeUnknown", kWeights, key_entry(R"({"dtype":"F31","shape":[16,32],"data_offsets":[73984,76032]})"),
       "unknown dtype"},
      {"DtypeOfAnotherSize", kWeights,
       key_entry(R"({"dtype":"F16","shape":[16,32],"data_offsets":[73984,76032]})"), "disagree"},
      {"DtypeNotAFloat", kWeights,
       key_entry(R"({"dtype":"I32","shape":[16,32],"data_offsets":[73984,76032]})"), "float tensor",
       "k_proj"},
      {"DataCut", kWeights, cut_by(1), "do not fill the file"},
      {"DataBehindTheLastTensor", kWeights, followed_by("x"), "do not fill the file"},
      {"TensorMissing", kWeights, in_header("layers.0.self_attn.k_proj", "layers.0.self_attn.k_porj"),
       "no tensor model.layers.0.self_attn.k_proj", "model"},
      {"TensorOfAnotherShape", kWeights, key_entry(entry("32,16", "73984,76032")), R"(\[32, 16\], expected)",
       "k_proj"},
      {"PickleInsteadOfSafetensors", kWeights, contents("\x80\x02}q\x01."), "ends inside the length"},
      {"Removed", kWeights, removed(), "no weights that can be read"},
      {"AFolder", kWeights, as_folder(), "not a regular file"},
  };
}

std::vector<Case> shard_cases() {
  const std::string shard = "/weight_map/model.layers.0.self_attn.k_proj.weight";
  return {
      {"IndexNotJson", kIndex, contents("{"), "not valid JSON"},
      {"IndexNestedDeep", kIndex, nested("{\"weight_map\":", "[", 100'000, "]", "}"), "nested too deeply"},
      {"IndexWithoutMap", kIndex, contents("{}"), "weight_map"},
      {"IndexMapIsAList", kIndex, contents("{\"weight_map\":[]}"), "weight_map"},
      {"ShardAboveTheFolder", kIndex, json_with(shard, "\"../model-00001-of-00003.safetensors\""),
       "unusable file name"},
      {"ShardIsTheParent", kIndex, json_with(shard, "\"..\""), "unusable file name"},
      {"ShardAnAbsolutePath", kIndex, json_with(shard, "\"/etc/passwd\""), "unusable file name"},
      {"ShardNameHoldsANul", kIndex, json_with(shard, R"("model-00001-of-00003.safetensors\u0000x")"),
       "unusable file name"},
      {"ShardNotAText", kIndex, json_with(shard, times("[", 50) + times("]", 50)), "unusable file name"},
      {"ShardMissing", kIndex, json_with(shard, "\"model-00004-of-00003.safetensors\""), "No such file",
       "model-00004-of-00003.safetensors"},
  };
}

}  // namespace saescope::hostile
