#include <limits>
#include <stdexcept>

#include "formats/format_testing.h"
#include "hostile/changes.h"
#include "hostile/good_run.h"

namespace saescope::hostile {
namespace {

using testing::raw;

enum Type : uint32_t {
  kUint8 = 0,
  kUint16 = 2,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kUnknown = 77
};
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kTensorCount = 8;
constexpr std::size_t kValueCount = 16;
constexpr std::size_t kFirstValue = 24;

std::string text(const std::string& value) { return raw(uint64_t{value.size()}) + value; }

std::string entry(const std::string& key, Type type, const std::string& value) {
  return text(key) + raw(uint32_t{type}) + value;
}

std::string array(Type type, uint64_t length) { return raw(uint32_t{type}) + raw(length); }

std::string head(uint64_t tensors, uint64_t values) {
  return "GGUF" + raw(uint32_t{3}) + raw(tensors) + raw(values);
}

/// The good file with one more metadata value in front of the others. A second one pads it, so that the
/// tensors stay where the alignment wants them.
Change with_value(const std::string& key, Type type, const std::string& value) {
  return [=](const std::filesystem::path& file) {
    constexpr std::size_t kAlignment = 32;
    std::string added = entry(key, type, value);
    const std::string padding = entry("padding", kString, text(""));
    const std::size_t size = added.size() + padding.size();
    added += entry("padding", kString, text(std::string((kAlignment - size % kAlignment) % kAlignment, ' ')));
    std::string bytes = slurp(file);
    uint64_t count = 0;
    std::memcpy(&count, bytes.data() + kValueCount, sizeof count);
    bytes.replace(kValueCount, sizeof count, raw(count + 2));
    bytes.insert(kFirstValue, added);
    contents(bytes)(file);
  };
}

/// Bytes written `offset` bytes behind a name.
Change behind(const std::string& name, std::size_t offset, const std::string& bytes) {
  return [=](const std::filesystem::path& file) {
    const std::size_t at = slurp(file).find(text(name));
    if (at == std::string::npos) throw std::logic_error("the file lacks " + name);
    bytes_at(static_cast<int64_t>(at + text(name).size() + offset), bytes)(file);
  };
}

/// Another value of the same size.
Change value(const std::string& key, const std::string& bytes) {
  return behind(key, sizeof(uint32_t), bytes);
}

Change without(const std::string& key) {
  std::string other = key;
  other.back() = '_';
  return replaced(text(key), text(other));
}

// A matrix's entry: number of dimensions, two extents, type, offset.
constexpr const char* kMatrix = "blk.0.attn_k.weight";
constexpr std::size_t kExtents = 4;
constexpr std::size_t kTensorType = 20;
constexpr std::size_t kTensorOffset = 24;

}  // namespace

std::vector<Case> gguf_cases() {
  constexpr uint64_t kMany = uint64_t{1} << 22;
  return {
      {"Empty", kGguf, contents(""), "empty file"},
      {"BadMagic", kGguf, bytes_at(0, "GGML"), "not a GGUF file"},
      {"Version99", kGguf, bytes_at(4, raw(uint32_t{99})), "version of GGUF is not supported"},
      {"BigEndian", kGguf, bytes_at(4, raw(uint32_t{3} << 24)), "big endian"},
      {"HeadCut", kGguf, resized(20), "ends inside the number"},
      {"TensorCountHuge", kGguf, bytes_at(kTensorCount, raw(~uint64_t{0})), "too many tensors"},
      {"ValueCountHuge", kGguf, bytes_at(kValueCount, raw(~uint64_t{0})), "too many metadata values"},
      {"KeyLengthHuge", kGguf, bytes_at(kFirstValue, raw(~uint64_t{0})), "ends inside the metadata key"},
      {"TextLengthHuge", kGguf, value("general.name", raw(~uint64_t{0} - 7)), "ends inside the general.name"},
      {"ArrayLengthHuge", kGguf, with_value("a", kArray, array(kUint8, ~uint64_t{0})), "too long"},
      {"ArrayOfArraysDeep", kGguf, with_value("a", kArray, times(array(kArray, 1), 10'000)),
       "array of arrays"},
      {"ArrayOfUnknownType", kGguf, with_value("a", kArray, array(kUnknown, 1)), "unknown type"},
      {"ValueOfUnknownType", kGguf, with_value("a", kUnknown, ""), "unknown type"},
      {"BoolIsTwo", kGguf, with_value("a", kBool, "\x02"), "no bool"},
      {"KeyTwice", kGguf, with_value("general.name", kString, text("a")), "occurs twice"},
      {"AGigabyteOfNumbers", kGguf,
       sparse(head(0, 64) + text("a") + raw(uint32_t{kArray}) + array(kUint8, kMany), kGigabyte),
       "a metadata key occurs twice"},
      {"AGigabyteOfEmptyTexts", kGguf,
       sparse(head(0, 64) + text("a") + raw(uint32_t{kArray}) + array(kString, kMany), kGigabyte),
       "a metadata key occurs twice"},
      {"AGigabyteOfOneText", kGguf,
       sparse(head(0, 1) + text("a") + raw(uint32_t{kString}) + raw(uint64_t{1} << 29), kGigabyte),
       "too long"},
      {"AGigabyteOfTensors", kGguf, sparse(head(uint64_t{1} << 16, 0), kGigabyte), "a tensor occurs twice"},
      {"AlignmentZero", kGguf, with_value("general.alignment", kUint32, raw(uint32_t{0})), "power of two"},
      {"AlignmentNoPowerOfTwo", kGguf, with_value("general.alignment", kUint32, raw(uint32_t{33})),
       "power of two"},
      {"AlignmentHuge", kGguf, with_value("general.alignment", kUint64, raw(uint64_t{1} << 62)),
       "ends inside the padding"},
      {"AlignmentIsText", kGguf, with_value("general.alignment", kString, text("32")), "wrong type"},
      {"TensorTwice", kGguf, replaced(text("blk.0.attn_v.weight"), text(kMatrix)), "occurs twice"},
      {"TensorOfManyDimensions", kGguf, behind(kMatrix, 0, raw(uint32_t{99})), "too many dimensions"},
      {"TensorExtentsOverflow", kGguf,
       behind(kMatrix, kExtents, raw(uint64_t{1} << 33) + raw(uint64_t{1} << 33)), "leaves the file"},
      {"TensorOffsetOverflows", kGguf, behind(kMatrix, kTensorOffset, raw(~uint64_t{31})), "bad offset"},
      {"TensorOffsetPastTheEnd", kGguf, behind(kMatrix, kTensorOffset, raw(uint64_t{1} << 20)), "bad offset"},
      {"TensorOffsetUnaligned", kGguf, behind(kMatrix, kTensorOffset, raw(uint64_t{2})), "bad offset"},
      {"TensorOfUnknownType", kGguf, behind(kMatrix, kTensorType, raw(uint32_t{4'000})), "type 4000",
       "model.gguf"},
      {"TensorOfTypeNotRead", kGguf, behind(kMatrix, kTensorType, raw(uint32_t{16})), "IQ2_XXS",
       "model.gguf"},
      {"QuantizedRowsNoWholeBlocks", kGguf,
       both(behind(kMatrix, kTensorType, raw(uint32_t{8})), behind(kMatrix, kExtents, raw(uint64_t{31}))),
       "whole blocks"},
      {"DataCut", kGguf, cut_by(8), "leaves the file"},
      {"EmbeddingMissing", kGguf, replaced(text("token_embd.weight"), text("token_embd_weight")),
       "token_embd.weight"},
      {"BlockCountMissing", kGguf, without("llama.block_count"), "'llama.block_count' is missing"},
      {"BlockCountZero", kGguf, value("llama.block_count", raw(uint32_t{0})), "block_count"},
      {"BlockCountHuge", kGguf, value("llama.block_count", raw(~uint32_t{0})), "block_count"},
      {"HeadCountZero", kGguf, value("llama.attention.head_count", raw(uint32_t{0})), "head_count"},
      {"HeadCountNegative", kGguf,
       both(behind("llama.attention.head_count", 0, raw(uint32_t{kInt32})),
            value("llama.attention.head_count", raw(int32_t{-4}))),
       "head_count"},
      {"KeyValueHeadsDoNotDivide", kGguf, value("llama.attention.head_count_kv", raw(uint32_t{3})),
       "divide the heads"},
      {"EmbeddingLengthIsAFloat", kGguf, behind("llama.embedding_length", 0, raw(uint32_t{kFloat32})),
       "wrong type"},
      {"EpsilonNotANumber", kGguf, value("llama.attention.layer_norm_rms_epsilon", raw(kNan)), "epsilon"},
      {"EpsilonNegative", kGguf, value("llama.attention.layer_norm_rms_epsilon", raw(-1.0F)), "epsilon"},
      {"RopeBaseZero", kGguf, value("llama.rope.freq_base", raw(0.0F)), "freq_base"},
      {"RopeBaseInfinite", kGguf, value("llama.rope.freq_base", raw(kInfinity)), "freq_base"},
      {"ArchitectureUnknown", kGguf, replaced(text("llama"), text("lamma")), "unsupported architecture"},
      {"TokensAreNumbers", kGguf, behind("tokenizer.ggml.tokens", 4, raw(uint32_t{kUint64})), "out of range"},
      {"TokensMissing", kGguf, without("tokenizer.ggml.tokens"), "'tokenizer.ggml.tokens' is missing"},
      {"TokenizerModelUnknown", kGguf, replaced(text("gpt2"), text("gptx")), "kind of tokenizer"},
      {"PreTokenizerUnknown", kGguf, replaced(text("llama-bpe"), text("lamma-bpe")), "unknown pre-tokenizer"},
      {"BosTokenPastTheVocabulary", kGguf, value("tokenizer.ggml.bos_token_id", raw(uint32_t{1'000'000})),
       "bos_token_id"},
      {"BosTokenInvalidUtf8", kGguf, replaced("<|begin_of_text|>", "<|begin_of_t\xFFxt|>"), "UTF-8"},
      {"TemplateMissing", kGguf, without("tokenizer.chat_template"), "no chat template"},
      {"TemplateInvalidUtf8", kGguf, behind("tokenizer.chat_template", 12, "\xFF"), "not UTF-8"},
      {"SplitCountWrong", kFirstPart,
       replaced(entry("split.count", kUint16, raw(uint16_t{3})),
                entry("split.count", kUint16, raw(uint16_t{4}))),
       "split GGUF"},
      {"SplitPartMissing", "split/model-00002-of-00003.gguf", removed(), "No such file"},
      {"SplitPartOfAnotherModel", "split/model-00003-of-00003.gguf",
       [](const std::filesystem::path& file) {
         contents(slurp(file.parent_path() / "model-00002-of-00003.gguf"))(file);
       },
       "two files", "split"},
  };
}

}  // namespace saescope::hostile
