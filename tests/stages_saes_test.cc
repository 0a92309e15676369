// SAEs in which an activation depends on the row's other features: one task encodes all of each.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <utility>

#include "base/atomic_file.h"
#include "formats/safetensors.h"
#include "golden_files.h"
#include "ops/weight_rows.h"
#include "sae/formats/sae_format.h"
#include "staged_run.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing_support::expect_same_outputs;
using testing_support::Outputs;
using testing_support::StagedRun;
using Json = nlohmann::json;

/// The dictionaries of the tiny models are of the class BatchTopKSAE, whose files have all that
/// AutoEncoderTopK needs.
void make_top_k(const fs::path& trainer) {
  Json config = Json::parse(read_file(trainer / "config.json"));
  config["trainer"]["dict_class"] = "AutoEncoderTopK";
  config["trainer"]["trainer_class"] = "TopKTrainer";
  write_file_atomically(trainer / "config.json", config.dump());
}

/// The same numbers as an SAE of sparsify with the activation groupmax.
void make_group_max(const fs::path& trainer) {
  const OpenedSae sae = find_sae_format(trainer)->open({trainer, ""});
  const EncoderParameters& encoder = sae.encoder;
  std::vector<float> rows(encoder.dict_size * encoder.activation_dim);
  load_weight_rows(encoder.weight, 0, encoder.dict_size, rows.data());
  const auto tensor = [](const char* name, const std::vector<float>& values, Shape shape) {
    return TensorToWrite{name, TensorView::dense(DType::kF32, std::move(shape),
                                                 reinterpret_cast<const std::byte*>(values.data()))};
  };
  const std::vector<TensorToWrite> tensors = {
      tensor("encoder.weight", rows, {encoder.dict_size, encoder.activation_dim}),
      tensor("encoder.bias", encoder.bias, {encoder.dict_size}),
      tensor("b_dec", encoder.input_bias, {encoder.activation_dim})};
  std::string bytes = safetensors_header(tensors, {});
  for (const std::vector<float>* values : {&std::as_const(rows), &encoder.bias, &encoder.input_bias}) {
    bytes.append(reinterpret_cast<const char*>(values->data()), values->size() * sizeof(float));
  }
  for (const char* name : {"ae.pt", "config.json"}) fs::remove(trainer / name);
  write_file_atomically(trainer / "sae.safetensors", bytes);
  write_file_atomically(trainer / "cfg.json", Json({{"activation", "groupmax"},
                                                    {"k", 16},
                                                    {"d_in", encoder.activation_dim},
                                                    {"num_latents", encoder.dict_size}})
                                                  .dump());
}

/// Of each SAE and token type, the tasks whose part has counts of its features.
std::map<std::string, int> tasks_of_tables(const StagedRun& run) {
  std::map<std::string, int> tasks;
  for (const fs::path& state : run.states()) {
    const MappedFile file(state);
    for (const auto& [name, view] : parse_safetensors(file.bytes(), state.string()).tensors) {
      const std::string table = name.substr(0, name.rfind('/'));
      if (table.ends_with("asst") && name.ends_with("/sum") && element_count(view.shape) > 0) ++tasks[table];
    }
  }
  return tasks;
}

class WholeRows : public ::testing::TestWithParam<int> {};

TEST_P(WholeRows, TopKAndGroupMaxGiveTheBytesOfOneRunAndEachIsEncodedByOneTask) {
  const StagedRun run;
  const fs::path saes = run.folder() / "pipeline/saes";
  make_top_k(saes / "llama/resid_post_layer_1/trainer_1");
  make_top_k(saes / "qwen/resid_post_layer_2/trainer_2");
  make_group_max(saes / "llama/resid_post_layer_2/trainer_1");
  make_group_max(saes / "qwen/resid_post_layer_1/trainer_1");
  const Outputs expected = run.whole();
  run.run_all("forward", 2);
  run.run_all("encode", GetParam());
  const auto tasks = tasks_of_tables(run);
  for (const char* source : {"llama_trainer1_layer1", "llama_trainer1_layer2", "qwen_trainer1_layer1"}) {
    EXPECT_EQ(tasks.at(fmt::format("{}/asst", source)), 1) << source;
  }
  expect_same_outputs(run.finish(), expected);
}

INSTANTIATE_TEST_SUITE_P(Tasks, WholeRows, ::testing::Values(1, 2, 3, 7, 40));

}  // namespace
}  // namespace saescope
