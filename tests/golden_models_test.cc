// Token ids, rendered templates and activations against transformers, on random tiny checkpoints of every
// kind and on a real model.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numeric>

#include "assets/folder_model.h"
#include "assets/gguf_model.h"
#include "golden_files.h"
#include "model/forward.h"
#include "ops/reference/reference_backend.h"
#include "process.h"
#include "tensor/buffer.h"
#include "test_device.h"

namespace saescope {
namespace {

using testing_support::demo_model;
using testing_support::goldens;
using testing_support::GoldenTensors;
using testing_support::make_test_backend;
using testing_support::read_json;
using testing_support::RelativeError;

struct Silence {
  SilentProgress progress;
  CancelToken cancel;
  Context context{2, &progress, &cancel};
};

std::filesystem::path model_path(const std::string& name) {
  const std::filesystem::path folder = goldens() / "tiny" / name;
  return std::filesystem::exists(folder / "model.gguf") ? folder / "model.gguf" : folder;
}

ModelEntry entry_of(const std::filesystem::path& path) {
  ModelEntry entry;
  entry.name = path.filename().string();
  entry.model = path.string();
  entry.model_is_path = true;
  return entry;
}

std::unique_ptr<ModelFiles> open_files(const std::filesystem::path& path) {
  static SilentProgress progress;
  return is_gguf(path) ? open_gguf_model(entry_of(path), progress)
                       : open_folder_model(entry_of(path), progress);
}

Checkpoint open_checkpoint(const std::filesystem::path& path, std::size_t layer_count) {
  return open_files(path)->checkpoint(layer_count, {});
}

/// Residual stream at every position of one sequence, by layer.
std::map<std::size_t, Matrix<float>> run_sequence(const Model& model, Backend& backend, DType compute,
                                                  std::size_t chunk_rows, const std::vector<TokenId>& ids,
                                                  const std::vector<std::size_t>& layers) {
  Silence silence;
  PrefixTree tree;
  tree.add(ids);
  std::vector<int32_t> nodes(ids.size());
  std::iota(nodes.begin(), nodes.end(), 0);
  std::map<std::size_t, Matrix<float>> result;
  Forward forward(model, backend, silence.context, compute, chunk_rows);
  forward.begin(tree, {layers, nodes});
  while (const auto tapped = forward.next([](std::size_t) {})) {
    const MatrixView<const float>& rows = tapped->rows;
    Matrix<float>& copy = result.emplace(tapped->layer, Matrix<float>(rows.rows, rows.cols)).first->second;
    for (std::size_t r = 0; r < rows.rows; ++r) std::copy_n(rows.row(r), rows.cols, copy.row(r));
  }
  return result;
}

class TinyModelTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Goldens, TinyModelTest,
                         ::testing::Values("llama_tied", "llama_untied_rope", "llama_bias", "llama_bf16",
                                           "qwen2_bias", "qwen2_f16", "qwen2_yarn", "mistral_bare",
                                           "mistral_window", "qwen3", "qwen3_window", "gemma2", "gemma3_text",
                                           "gemma3_wrapper", "qwen3_gguf", "gemma2_gguf", "gemma3_gguf",
                                           "llama_tied_gguf", "llama_tied_q8_0_gguf",
                                           "llama_untied_rope_gguf", "qwen2_bias_gguf"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(TinyModelTest, TextAndIdsEqualTransformers) {
  const auto golden = read_json(goldens() / "tiny" / GetParam() / "prompts.json");
  const std::filesystem::path path = model_path(GetParam());
  const ChatFormatter formatter = open_files(path)->formatter();
  for (const auto& prompt : golden["prompts"]) {
    const FormattedPrompt formatted = formatter.format(prompt["content"].get<std::string>());
    EXPECT_EQ(formatted.text, prompt["text"].get<std::string>());
    EXPECT_EQ(formatted.ids, prompt["ids"].get<std::vector<TokenId>>());
  }
}

TEST_P(TinyModelTest, Fp32ActivationsAreWithin1e4OfTransformersAtEveryPosition) {
  const auto golden = read_json(goldens() / "tiny" / GetParam() / "prompts.json");
  const GoldenTensors expected(goldens() / "tiny" / GetParam() / "activations.safetensors");
  const auto layers = golden["layers"].get<std::vector<std::size_t>>();
  const Checkpoint checkpoint = open_checkpoint(model_path(GetParam()), layers.back() + 1);
  const auto device = make_test_backend();
  ReferenceBackend reference;
  for (Backend* backend : std::initializer_list<Backend*>{device.get(), &reference}) {
    std::map<std::size_t, RelativeError> errors;
    for (std::size_t i = 0; i < golden["prompts"].size(); ++i) {
      const auto ids = golden["prompts"][i]["ids"].get<std::vector<TokenId>>();
      const auto actual = run_sequence(checkpoint.model, *backend, DType::kF32, 16, ids, layers);
      for (const std::size_t layer : layers) {
        errors[layer].add(actual.at(layer).view(),
                          expected.rows("prompt_" + std::to_string(i) + ".layer_" + std::to_string(layer)));
      }
    }
    for (const auto& [layer, error] : errors) {
      EXPECT_LT(error.value(), 1e-4) << backend->description() << ", layer " << layer;
    }
  }
}

/// bf16 rounds GEMM inputs alone: 4 blocks stay within a few of its rounding units.
TEST_P(TinyModelTest, Bf16ActivationsStayCloseToFp32) {
  const auto golden = read_json(goldens() / "tiny" / GetParam() / "prompts.json");
  const auto layers = golden["layers"].get<std::vector<std::size_t>>();
  const Checkpoint checkpoint = open_checkpoint(model_path(GetParam()), layers.back() + 1);
  const auto device = make_test_backend();
  Backend& backend = *device;
  const auto ids = golden["prompts"][0]["ids"].get<std::vector<TokenId>>();
  const auto fp32 = run_sequence(checkpoint.model, backend, DType::kF32, 16, ids, layers);
  const auto bf16 = run_sequence(checkpoint.model, backend, DType::kBF16, 16, ids, layers);
  for (const std::size_t layer : layers) {
    RelativeError error;
    error.add(bf16.at(layer).view(), fp32.at(layer).view());
    EXPECT_LT(error.value(), 0.03) << "layer " << layer;
    EXPECT_GT(error.value(), 0.0) << "bf16 did not round anything";
  }
}

/// The models whose goldens say how far transformers' own bfloat16 is off.
class TinyBf16ModelTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Goldens, TinyBf16ModelTest,
                         ::testing::Values("mistral_window", "qwen3", "qwen3_window", "gemma2", "gemma3_text",
                                           "gemma3_wrapper"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(TinyBf16ModelTest, ErrorIsAtMostHalfOfTransformersBf16) {
  const auto golden = read_json(goldens() / "tiny" / GetParam() / "prompts.json");
  const GoldenTensors expected(goldens() / "tiny" / GetParam() / "activations.safetensors");
  const auto layers = golden["layers"].get<std::vector<std::size_t>>();
  const Checkpoint checkpoint = open_checkpoint(model_path(GetParam()), layers.back() + 1);
  const auto device = make_test_backend();
  Backend& backend = *device;
  std::map<std::size_t, RelativeError> errors;
  for (std::size_t i = 0; i < golden["prompts"].size(); ++i) {
    const auto ids = golden["prompts"][i]["ids"].get<std::vector<TokenId>>();
    const auto actual = run_sequence(checkpoint.model, backend, DType::kBF16, 16, ids, layers);
    for (const std::size_t layer : layers) {
      errors[layer].add(actual.at(layer).view(), expected.rows(fmt::format("prompt_{}.layer_{}", i, layer)));
    }
  }
  for (const auto& [layer, error] : errors) {
    const double theirs = golden["bf16_error"][std::to_string(layer)].get<double>();
    RecordProperty("layer_" + std::to_string(layer), std::to_string(error.value() / theirs));
    EXPECT_LE(error.value(), 0.5 * theirs) << "layer " << layer;
  }
}

/// Paths longer than the window, which branch before, within and behind it: each sequence of a tree gives the
/// bits that it gives alone.
TEST_P(TinyModelTest, SequencesOfATreeGiveTheBitsThatTheyGiveAlone) {
  const auto golden = read_json(goldens() / "tiny" / GetParam() / "prompts.json");
  const auto layers = golden["layers"].get<std::vector<std::size_t>>();
  const Checkpoint checkpoint = open_checkpoint(model_path(GetParam()), layers.back() + 1);
  const auto device = make_test_backend();
  Backend& backend = *device;
  const auto longest = golden["prompts"].back()["ids"].get<std::vector<TokenId>>();
  std::vector<std::vector<TokenId>> sequences = {longest};
  for (const std::size_t cut : {std::size_t{3}, longest.size() / 2, longest.size() - 4}) {
    sequences.push_back(longest);
    sequences.back()[cut] += 1;
  }
  PrefixTree tree;
  std::vector<std::vector<int32_t>> nodes(sequences.size());
  for (std::size_t i = 0; i < sequences.size(); ++i) tree.add(sequences[i], &nodes[i]);
  std::vector<int32_t> all(tree.size());
  std::iota(all.begin(), all.end(), 0);
  Silence silence;
  Forward forward(checkpoint.model, backend, silence.context, DType::kBF16, 32);
  const std::vector<std::size_t> last = {layers.back()};
  forward.begin(tree, {last, all});
  const auto tapped = forward.next([](std::size_t) {});
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const auto alone = run_sequence(checkpoint.model, backend, DType::kBF16, 256, sequences[i], last);
    const Matrix<float>& rows = alone.at(last.front());
    for (std::size_t r = 0; r < nodes[i].size(); ++r) {
      const float* in_tree = tapped->rows.row(static_cast<std::size_t>(nodes[i][r]));
      ASSERT_TRUE(std::equal(rows.row(r), rows.row(r) + rows.cols(), in_tree)) << i << ", position " << r;
    }
  }
}

TEST_P(TinyModelTest, ChunkSizeDoesNotChangeABit) {
  const auto golden = read_json(goldens() / "tiny" / GetParam() / "prompts.json");
  const auto layers = golden["layers"].get<std::vector<std::size_t>>();
  const Checkpoint checkpoint = open_checkpoint(model_path(GetParam()), layers.back() + 1);
  const auto device = make_test_backend();
  Backend& backend = *device;
  const auto ids = golden["prompts"][0]["ids"].get<std::vector<TokenId>>();
  const auto whole = run_sequence(checkpoint.model, backend, DType::kBF16, 256, ids, layers);
  for (const std::size_t chunk : {1, 5, 16}) {
    const auto cut = run_sequence(checkpoint.model, backend, DType::kBF16, chunk, ids, layers);
    for (const std::size_t layer : layers) {
      for (std::size_t r = 0; r < ids.size(); ++r) {
        ASSERT_TRUE(std::equal(whole.at(layer).row(r), whole.at(layer).row(r) + whole.at(layer).cols(),
                               cut.at(layer).row(r)))
            << "chunk " << chunk << ", layer " << layer << ", position " << r;
      }
    }
  }
}

/// A file in parts is the file: the same bits, and a part that lacks is named.
TEST(SplitGguf, EqualsTheWholeFileAndNamesAMissingPart) {
  const std::filesystem::path whole = goldens() / "tiny/llama_tied_q8_0_gguf/model.gguf";
  const std::filesystem::path folder = goldens() / "tiny/llama_tied_q8_0_gguf_split";
  std::vector<std::filesystem::path> parts;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) parts.push_back(entry.path());
  std::sort(parts.begin(), parts.end());
  ASSERT_GT(parts.size(), 1u);
  const auto ids =
      read_json(whole.parent_path() / "prompts.json")["prompts"][0]["ids"].get<std::vector<TokenId>>();
  const auto device = make_test_backend();
  Backend& backend = *device;
  const auto run = [&](const std::filesystem::path& path) {
    const Checkpoint checkpoint = open_checkpoint(path, 4);
    const auto result = run_sequence(checkpoint.model, backend, DType::kF32, 16, ids, {3});
    const Matrix<float>& rows = result.at(3);
    return std::vector<float>(rows.row(0), rows.row(0) + rows.rows() * rows.cols());
  };
  EXPECT_EQ(run(parts.front()), run(whole));
  EXPECT_THROW(open_checkpoint(parts.back(), 4), InputError);
  const testing_support::TemporaryFolder incomplete;
  std::filesystem::copy(parts.front(), incomplete.path());
  try {
    open_checkpoint(incomplete.path() / parts.front().filename(), 4);
    FAIL() << "a missing part was not noticed";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("-00002-of-"), std::string::npos) << error.what();
  }
}

TEST(ChatFormatter, FindsTheLastTokenOfATextAndRefusesWhatIsNotThereOnce) {
  const std::filesystem::path path = model_path("qwen2_bias");
  const ChatFormatter formatter = open_files(path)->formatter();
  const std::string content = "say <|im_start|>assistant\n twice";
  const FormattedPrompt prompt = formatter.format(content);
  EXPECT_EQ(formatter.find_token({"asst", "assistant"}, prompt), prompt.ids.size() - 2);
  EXPECT_EQ(formatter.find_token({"newline", "\n"}, prompt), prompt.ids.size() - 1);
  EXPECT_EQ(formatter.find_token({"third", int64_t{-3}}, prompt), prompt.ids.size() - 3);
  EXPECT_THROW(formatter.find_token({"none", "nowhere"}, prompt), InputError);
  EXPECT_THROW(formatter.find_token({"twice", "s"}, prompt), InputError);
  EXPECT_THROW(formatter.find_token({"inside", "assist"}, prompt), InputError);
  EXPECT_THROW(formatter.find_token({"forward", int64_t{0}}, prompt), InputError);
  EXPECT_THROW(formatter.find_token({"far", int64_t{-100000}}, prompt), InputError);
}

TEST(ChatFormatter, FindsTheTokenOfATextWhereTheTokenizerPutsSpacesIn) {
  const nlohmann::json golden = read_json(goldens() / "tokenizers/characters.json");
  const std::string text =
      "{{ messages[0].content }}{% if add_generation_prompt %}th</s>then, </s>th e{% endif %}";
  for (const nlohmann::json& test : golden["cases"]) {
    const auto name = test["name"].get<std::string>();
    SCOPED_TRACE(name);
    const ChatFormatter formatter(Tokenizer::from_tokenizer_json(test["tokenizer"].dump(), name),
                                  ChatTemplate(text, name), nlohmann::ordered_json::object(), name);
    const FormattedPrompt prompt = formatter.format("is </s> it");
    const std::size_t at = formatter.find_token({"end", "then, </s>"}, prompt);
    const auto last = std::find(prompt.ids.rbegin(), prompt.ids.rend(), formatter.tokenizer().find("</s>"));
    EXPECT_EQ(at, static_cast<std::size_t>(prompt.ids.rend() - last) - 1);
    EXPECT_EQ(formatter.find_token({"e", "th e"}, prompt), prompt.ids.size() - 1);
  }
}

}  // namespace
}  // namespace saescope
