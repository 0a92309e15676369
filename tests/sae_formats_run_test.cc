// Whole runs with SAEs of other packages than dictionary_learning, from a folder and from the hub, and files
// that are refused with what they are.
#include <gmock/gmock.h>

#include <fstream>
#include <functional>

#include "base/atomic_file.h"
#include "base/error.h"
#include "formats/torch_archive.h"
#include "golden_files.h"
#include "hub/test_hub.h"
#include "ops/weight_rows.h"
#include "process.h"
#include "sae/formats/sae_format.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_support::goldens;
using testing_support::read_json;
using testing_support::TemporaryFolder;
using Json = nlohmann::json;

/// A safetensors file of float32 tensors.
std::string safetensors_of(const std::map<std::string, std::pair<Shape, std::vector<float>>>& tensors) {
  std::vector<TensorToWrite> list;
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const auto* bytes = reinterpret_cast<const std::byte*>(tensor.second.data());
    list.push_back({name, TensorView::dense(DType::kF32, tensor.first, bytes)});
    data.append(reinterpret_cast<const char*>(bytes), tensor.second.size() * sizeof(float));
  }
  return safetensors_header(list, {}) + data;
}

/// The tiny model's SAE of the class BatchTopKSAE as a jumprelu SAE of SAELens: the same numbers.
struct LensFiles {
  std::string config;
  std::string weights;
};

LensFiles convert_to_lens(const fs::path& folder) {
  const OpenedSae sae = find_sae_format(folder)->open({folder, ""});
  const EncoderParameters& encoder = sae.encoder;
  const std::size_t d = encoder.activation_dim;
  const std::size_t features = encoder.dict_size;
  std::vector<float> rows(features * d);
  load_weight_rows(encoder.weight, 0, features, rows.data());
  std::vector<float> columns(rows.size());
  for (std::size_t f = 0; f < features; ++f) {
    for (std::size_t c = 0; c < d; ++c) columns[c * features + f] = rows[f * d + c];
  }
  const Json config = {
      {"architecture", "jumprelu"},
      {"apply_b_dec_to_input", true},
      {"d_in", d},
      {"d_sae", features},
      {"dtype", "float32"},
      {"normalize_activations", "none"},
      {"metadata", {{"sae_lens_version", "6.54.12"}, {"hook_name", "blocks.1.hook_resid_post"}}}};
  return {config.dump(),
          safetensors_of({{"W_enc", {{d, features}, columns}},
                          {"b_dec", {{d}, encoder.input_bias}},
                          {"b_enc", {{features}, encoder.bias}},
                          {"threshold", {{features}, std::vector(features, encoder.threshold)}}})};
}

class SaeFormatsRun : public ::testing::Test {
 protected:
  SaeFormatsRun() {
    std::ofstream(folder / "p.jsonl") << "{\"content\": \"Hi\"}\n{\"content\": \"What is it?\"}\n";
  }

  /// @param keys of the entry besides the model's
  testing_support::ProcessResult run(const std::string& keys, const std::string& output,
                                     std::vector<std::string> environment = {}) {
    std::ofstream(folder / "c.toml") << "[models.tiny]\nmodel = \"" +
                                            (goldens() / "tiny/llama_tied").string() +
                                            "\"\ntrainer = 1\nlayers = [1]\ncheck_sae = true\n"
                                            "tokens = { asst = \"assistant\" }\n" +
                                            keys;
    environment.push_back("HF_HUB_CACHE=" + (folder / "hub"));
    return testing_support::run_program(
        {"--config", folder / "c.toml", "--analysis", "universal", "--universal-output", folder / output,
         "--prompts-path", folder / "p.jsonl", "--no-cache"},
        folder.path(), environment);
  }

  std::string key(const char* name, const std::string& value) {
    return std::string(name) + " = " + Json(value).dump() + "\n";
  }

  const fs::path dictionaries = goldens() / "pipeline/saes/llama";
  const LensFiles lens = convert_to_lens(dictionaries / "resid_post_layer_1/trainer_1");
  TemporaryFolder folder;
};

TEST_F(SaeFormatsRun, ASaeLensFolderGivesTheBytesOfTheSameNumbersInAnotherForm) {
  fs::create_directories(folder.path() / "saes/layer_1");
  std::ofstream(folder / "saes/layer_1/cfg.json") << lens.config;
  std::ofstream(folder / "saes/layer_1/sae_weights.safetensors") << lens.weights;
  const auto expected =
      run(key("sae_dir", dictionaries.string()) +
              key("sae_path", "resid_post_layer_{layer}/trainer_{trainer}") + "link = \"\"\n",
          "dictionary.csv");
  ASSERT_EQ(expected.exit_code, 0) << expected.err;
  const auto result =
      run(key("sae_dir", folder / "saes") + key("sae_path", "layer_{layer}") + "link = \"\"\n", "lens.csv");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(read_file(folder / "lens.csv"), read_file(folder / "dictionary.csv"));
  EXPECT_THAT(result.out, HasSubstr("SAEs in the form of SAELens, jumprelu of 256 features"));
}

TEST_F(SaeFormatsRun, OfARepositoryOnlyWhatEncodingNeedsIsDownloaded) {
  TestHub server;
  server.add_file("org/saes", "layer_1/cfg.json", lens.config);
  server.add_file("org/saes", "layer_1/sae_weights.safetensors", lens.weights);
  server.add_file("org/saes", "layer_1/sparsity.safetensors", "never asked for");
  const std::string keys =
      key("sae", "org/saes") + key("sae_dir", folder / "saes") + key("sae_path", "layer_{layer}");
  const auto result = run(keys, "u.csv", {"HF_ENDPOINT=" + server.endpoint(), "no_proxy=*"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const HubRequest& request : server.requests()) {
    EXPECT_EQ(request.target.find("sparsity"), std::string::npos) << request.target;
  }
  server.forget_requests();
  const auto again = run(keys, "again.csv", {"HF_ENDPOINT=" + server.endpoint(), "no_proxy=*"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(server.requests().empty()) << "the files lie in sae_dir";
  EXPECT_EQ(read_file(folder / "again.csv"), read_file(folder / "u.csv"));
}

TEST_F(SaeFormatsRun, ASaeOfAnotherLayerStopsTheRun) {
  fs::create_directories(folder.path() / "saes/layer_1");
  Json config = Json::parse(lens.config);
  config["metadata"]["hook_name"] = "blocks.3.hook_resid_pre";
  std::ofstream(folder / "saes/layer_1/cfg.json") << config.dump();
  std::ofstream(folder / "saes/layer_1/sae_weights.safetensors") << lens.weights;
  const auto result = run(key("sae_dir", folder / "saes") + key("sae_path", "layer_{layer}"), "u.csv");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("was trained on another layer"), HasSubstr("layer 2")));
}

TEST_F(SaeFormatsRun, WhatADictionarysConfigurationSaysOfItsOriginCounts) {
  const fs::path place = folder.path() / "saes/layer_1";
  fs::create_directories(place.parent_path());
  fs::copy(dictionaries / "resid_post_layer_1/trainer_1", place);
  const Json good = read_json(place / "config.json");
  const std::vector<std::pair<Json, std::string>> cases = {
      {{{"trainer", {{"layer", "2"}}}}, "another layer"},
      {{{"trainer", {{"layer", nullptr}, {"submodule_name", "resid_post_layer_2"}}}}, "another layer"},
      {{{"trainer", {{"layer", 1}}}, {"buffer", {{"io", "in"}}}}, "another layer"},
      {{{"trainer", {{"submodule_name", "mlp_layer1"}}}}, "another part of the model"},
      {{{"trainer", {{"submodule_name", "attn_out_layer_1"}}}}, "another part of the model"},
      {{{"trainer", {{"lm_name", "Qwen/Qwen2.5-7B-Instruct"}}}}, "another model"},
      {{{"trainer", {{"layer", "1"}, {"submodule_name", "resid_post_layer_1"}, {"lm_name", "org/own"}}}},
       ""}};
  for (const auto& [changes, reason] : cases) {
    Json config = good;
    config.merge_patch(changes);
    std::ofstream(place / "config.json") << config.dump();
    const auto result = run(key("sae_dir", folder / "saes") + key("sae_path", "layer_{layer}"), "u.csv");
    EXPECT_EQ(result.exit_code, reason.empty() ? 0 : 2) << changes << result.err;
    EXPECT_THAT(result.err, HasSubstr(reason)) << changes;
  }
}

TEST_F(SaeFormatsRun, AFileIsASaeWhereThePathNamesOne) {
  const auto result = run(key("sae_dir", (goldens() / "sae_formats").string()) +
                              key("sae_path", "qresearch/DeepSeek-R1-Distill-Llama-8B-SAE-l{layer}.pt"),
                          "u.csv");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("activations of size 32"), HasSubstr("size 24")));
}

TEST_F(SaeFormatsRun, AFolderWithoutAnySaeListsWhatIsLookedFor) {
  const auto result = run(key("sae_dir", folder / "none") + key("sae_path", "layer_{layer}"), "u.csv");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("cfg.json and sae_weights.safetensors"), HasSubstr("params.npz")));
}

/// What a change of a configuration makes of a good SAE.
struct Refusal {
  const char* variant;  ///< of tests/goldens/sae_formats
  const char* path;     ///< of its folder, below the variant's
  const char* file;     ///< in that
  Json changes;         ///< a JSON merge patch (RFC 7396)
  const char* reason;
};

std::ostream& operator<<(std::ostream& out, const Refusal& r) { return out << r.variant << " " << r.changes; }

std::vector<Refusal> refusals() {
  const auto lens = [](Json changes, const char* reason) {
    return Refusal{"saelens_topk", "", "cfg.json", std::move(changes), reason};
  };
  const auto hook = [&](const char* name, const char* reason) {
    return lens({{"metadata", {{"hook_name", name}}}}, reason);
  };
  constexpr const char* kNotResidual = "not trained on the residual stream";
  return {
      lens({{"architecture", "transcoder"}}, "this is a transcoder"),
      lens({{"architecture", "jumprelu_skip_transcoder"}}, "this is a transcoder"),
      lens({{"architecture", "temporal"}}, "this architecture are not read"),
      lens({{"architecture", "jumprelu"}}, "no tensor `threshold`"),
      lens({{"reshape_activations", "hook_z"}}, "reshape_activations"),
      lens({{"normalize_activations", "running_mean"}}, "normalize_activations"),
      lens({{"k", nullptr}}, "unusable value of `k`"),
      lens({{"k", 0}}, "k does not fit the dictionary"),
      lens({{"k", 49}}, "k does not fit the dictionary"),
      lens({{"k", "8"}}, "an integer"),
      lens({{"d_sae", 64}}, "disagree about d_sae"),
      lens({{"d_in", 4096}}, "disagree about d_in"),
      hook("blocks.1.attn.hook_z", kNotResidual),
      hook("blocks.1.hook_mlp_out", kNotResidual),
      hook("blocks.1.hook_resid_mid", kNotResidual),
      hook("blocks.0.hook_resid_pre", kNotResidual),
      hook("hook_embed", kNotResidual),
      {"saelens_before_6", "", "cfg.json", {{"activation_fn_str", "tanh-relu"}}, "relu or topk"},
      {"saelens_before_6", "", "cfg.json", {{"hook_point", "blocks.1.attn.hook_z"}}, kNotResidual},
      {"gemma_scope_2",
       "resid_post/layer_1_width_16k_l0_medium",
       "config.json",
       {{"architecture", "topk"}},
       "jump_relu"},
      {"gemma_scope_2",
       "resid_post/layer_1_width_16k_l0_medium",
       "config.json",
       {{"hf_hook_point_in", "model.layers.1.pre_feedforward_layernorm.output"}},
       kNotResidual},
      {"llama_scope",
       "Llama3_1-8B-Base-L1R-8x",
       "hyperparams.json",
       {{"norm_activation", "token-wise"}},
       "dataset-wise"},
      {"llama_scope", "Llama3_1-8B-Base-L1R-8x", "hyperparams.json", {{"act_fn", "topk"}}, "jumprelu"},
      {"llama_scope",
       "Llama3_1-8B-Base-L1R-8x",
       "hyperparams.json",
       {{"use_glu_encoder", true}},
       "use_glu_encoder"},
      {"llama_scope",
       "Llama3_1-8B-Base-L1R-8x",
       "hyperparams.json",
       {{"dataset_average_activation_norm", {{"in", 0}}}},
       "a positive number"},
      {"llama_scope_r1",
       "L1R",
       "config.json",
       {{"hook_point_in", "blocks.1.hook_resid_pre"}},
       "no usable tensor"},
      {"sparsify_topk", "layers.1", "cfg.json", {{"transcode", true}}, "this is a transcoder"},
      {"sparsify_topk", "layers.1", "cfg.json", {{"signed", true}}, "signed"},
      {"sparsify_topk", "layers.1", "cfg.json", {{"activation", "batchtopk"}}, "topk or groupmax"},
      {"sparsify_groupmax", "layers.1", "cfg.json", {{"k", 7}}, "a divisor of 48"},
  };
}

class RefusedSae : public ::testing::TestWithParam<Refusal> {};
INSTANTIATE_TEST_SUITE_P(Configurations, RefusedSae, ::testing::ValuesIn(refusals()));

TEST_P(RefusedSae, SaysWhatItIsAndNamesTheFile) {
  const Refusal& refusal = GetParam();
  const TemporaryFolder folder;
  fs::copy(goldens() / "sae_formats" / refusal.variant, folder.path(), fs::copy_options::recursive);
  const fs::path sae = folder.path() / refusal.path;
  Json config = read_json(sae / refusal.file);
  config.merge_patch(refusal.changes);
  std::ofstream(sae / refusal.file) << config.dump();
  try {
    find_sae_format(sae)->open({sae, ""});
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(refusal.reason));
    EXPECT_THAT(error.detail().where, HasSubstr(sae.lexically_normal().string()));
  }
}

TEST(SaePath, AFormatsOwnFileStandsForItsFolder) {
  EXPECT_EQ(without_sae_file("a/layer_1/params.npz"), "a/layer_1");
  EXPECT_EQ(without_sae_file("a/L1R/checkpoints/final.safetensors"), "a/L1R");
  EXPECT_EQ(without_sae_file("a/trainer_0/ae.pt"), "a/trainer_0");
  EXPECT_EQ(without_sae_file("a/layer1.sae.pt"), "a/layer1.sae.pt");
  EXPECT_EQ(without_sae_file("a/layer_1"), "a/layer_1");
}

}  // namespace
}  // namespace saescope
