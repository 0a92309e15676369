// Models that this program does not run are refused with what they are, before anything of them is
// downloaded.
#include <gmock/gmock.h>

#include <fstream>

#include "assets/model_files.h"
#include "golden_files.h"
#include "hub/test_hub.h"
#include "model/weights.h"
#include "process.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_support::goldens;
using testing_support::read_json;
using testing_support::TemporaryFolder;
using Json = nlohmann::json;

class RefusedModels : public ::testing::Test {
 protected:
  /// The refusal of a repository that has this config.json and everything else.
  std::string refusal(const Json& changes) {
    Json config = read_json(goldens() / "tiny/llama_tied/config.json");
    config.update(changes);
    server.add_file("org/model", "config.json", config.dump());
    for (const char* file : {"tokenizer.json", "tokenizer_config.json", "model.safetensors"}) {
      server.add_file("org/model", file, "never asked for");
    }
    settings.cache = folder.path() / std::to_string(++runs);
    settings.endpoint = server.endpoint();
    server.forget_requests();
    const std::string message = open("org/model", false);
    for (const HubRequest& request : server.requests()) {
      EXPECT_THAT(request.target, HasSubstr("config.json")) << "nothing else is downloaded";
    }
    return message;
  }

  std::string open(const std::string& model, bool is_path) {
    ModelEntry entry;
    entry.name = "m";
    entry.model = model;
    entry.model_is_path = is_path;
    Hub hub(settings, context);
    try {
      ModelFiles::open(entry, hub, progress)->config();
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder;
  TestHub server;
  HubSettings settings;
  SilentProgress progress;
  CancelToken cancel;
  Context context{.threads = 1, .progress = &progress, .cancel = &cancel};
  int runs = 0;
};

TEST_F(RefusedModels, QuantisedWeightsAreNamedByTheirMethod) {
  for (const char* method : {"fp8", "bitsandbytes", "gptq", "awq", "compressed-tensors", "mxfp4"}) {
    EXPECT_THAT(refusal({{"quantization_config", {{"quant_method", method}, {"bits", 4}}}}),
                HasSubstr(std::string("quantised with the method ") + method));
  }
}

TEST_F(RefusedModels, WeightsQuantisedByOlderPackagesAreNamedToo) {
  EXPECT_THAT(refusal({{"quantization", {{"group_size", 64}, {"bits", 4}}}}), HasSubstr("quantised by MLX"));
  for (const auto& [file, method] :
       {std::pair{"quantize_config.json", "GPTQ"}, {"quant_config.json", "AWQ"}}) {
    const std::string repo = std::string("org/") + method;
    server.add_file(repo, "config.json", read_json(goldens() / "tiny/llama_tied/config.json").dump());
    server.add_file(repo, file, "{}");
    settings.cache = folder.path() / method;
    settings.endpoint = server.endpoint();
    EXPECT_THAT(open(repo, false), HasSubstr(std::string("quantised with the method ") + method));
  }
}

TEST_F(RefusedModels, WeightsThatLackTensorsAreShownAsTheyAre) {
  const Json json = read_json(goldens() / "tiny/llama_tied/config.json");
  const ModelConfig config = model_config_from_json(json, "config.json");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"base_model.model.model.layers.0.mlp.up_proj.weight", "may be of another model"},
      {"model.layers.0.mlp.up_proj.qweight", "GPTQ or AWQ"},
      {"model.layers.0.mlp.up_proj.SCB", "bitsandbytes"},
      {"model.layers.0.mlp.up_proj.biases", "MLX"}};
  for (const auto& [name, hint] : cases) {
    const NamedTensors tensors = {
        {name, TensorView{.dtype = DType::kF32, .shape = {2, 3}, .strides = {3, 1}}}};
    try {
      bind_weights(tensors, config, 1, TensorNaming::kHuggingFace, "model.safetensors");
      ADD_FAILURE() << name;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("its tensors are " + name + " F32 [2, 3]"), HasSubstr(hint)));
    }
  }
}

TEST_F(RefusedModels, WrappersEncodersAndOthersAreNamed) {
  EXPECT_THAT(refusal({{"model_type", "qwen2_5_omni"}, {"thinker_config", Json::object()}}),
              HasSubstr("vision or audio"));
  EXPECT_THAT(refusal({{"model_type", "llava"}, {"vision_config", Json::object()}}),
              HasSubstr("vision or audio"));
  EXPECT_THAT(refusal({{"model_type", "bert"}}), HasSubstr("an encoder"));
  EXPECT_THAT(refusal({{"model_type", "t5"}, {"is_encoder_decoder", true}}), HasSubstr("an encoder-decoder"));
  EXPECT_THAT(refusal({{"model_type", "mamba"}}), HasSubstr("qwen2 or qwen3"));
}

TEST_F(RefusedModels, AnAdapterNamesItsModelInAFolderAndOnTheHub) {
  const std::string config = R"({"base_model_name_or_path": "org/base", "peft_type": "LORA"})";
  std::ofstream(folder / "adapter_config.json") << config;
  EXPECT_THAT(open(folder.path().string(), true), HasSubstr("an adapter of org/base"));
  server.add_file("org/lora", "adapter_config.json", config);
  settings.cache = folder.path() / "cache";
  settings.endpoint = server.endpoint();
  EXPECT_THAT(open("org/lora", false), HasSubstr("an adapter of org/base"));
  // Of some the model's configuration lies beside it, and nothing else is there.
  server.add_file("org/lora2", "adapter_config.json", config);
  server.add_file("org/lora2", "config.json", read_json(goldens() / "tiny/llama_tied/config.json").dump());
  settings.cache = folder.path() / "cache2";
  EXPECT_THAT(open("org/lora2", false), HasSubstr("an adapter of org/base"));
}

TEST_F(RefusedModels, TheHubCachesOwnFolderIsAModel) {
  const fs::path repo = folder.path() / "models--org--name";
  const std::string commit(40, 'a');
  fs::create_directories(repo / "snapshots" / commit);
  fs::copy(goldens() / "tiny/llama_tied", repo / "snapshots" / commit);
  EXPECT_EQ(open(repo.string(), true), "accepted") << "its only snapshot";
  fs::create_directories(repo / "snapshots" / std::string(40, 'b'));
  EXPECT_THAT(open(repo.string(), true), HasSubstr("which of its snapshots"));
  fs::create_directories(repo / "refs");
  std::ofstream(repo / "refs/main") << commit;
  EXPECT_EQ(open(repo.string(), true), "accepted");
  ModelEntry entry;
  entry.model = (repo / "snapshots" / commit).string();
  entry.model_is_path = true;
  Hub hub(settings, context);
  EXPECT_EQ(ModelFiles::open(entry, hub, progress)->revision(), commit);
  EXPECT_EQ(ModelFiles::open(entry, hub, progress)->published_name(), "org/name");
}

/// transformers takes model.safetensors, whatever index lies beside it.
TEST_F(RefusedModels, AnIndexOfAnotherModelDoesNotCount) {
  fs::copy(goldens() / "tiny/llama_tied", folder.path(), fs::copy_options::recursive);
  std::ofstream(folder / "model.safetensors.index.json")
      << R"({"weight_map": {"model.embed_tokens.weight": "other.safetensors"}})";
  ModelEntry entry;
  entry.model = folder.path().string();
  entry.model_is_path = true;
  Hub hub(settings, context);
  const auto files = ModelFiles::open(entry, hub, progress);
  ASSERT_EQ(files->needed(2).size(), 1u);
  EXPECT_EQ(files->needed(2).front().file, "model.safetensors");
  EXPECT_NO_THROW(files->checkpoint(2, {}));
}

}  // namespace
}  // namespace saescope
