#include "engine/job.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>

#include "analysis/labels.h"
#include "base/atomic_file.h"
#include "base/error.h"
#include "engine/cache_folder.h"
#include "engine/content_key.h"
#include "engine/model_activations.h"
#include "hub/digest.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "saescope job 1";

/// How many there are, and their bytes.
template <typename Numbers>
void add_numbers(Digest& digest, const Numbers& numbers) {
  const std::span all(numbers);
  digest.update(fmt::format("{} ", all.size()));
  digest.update({reinterpret_cast<const char*>(all.data()), all.size_bytes()});
}

std::string prompts_digest(const TokenizedPrompts& prompts, const Labels& labels) {
  Digest digest = Digest::sha256();
  for (TokenizedPrompts::Reader prompt(prompts); !prompt.done(); prompt.advance()) {
    const PromptTokens& tokens = prompt.current();
    digest.update(fmt::format("{} {} ", tokens.prompt_idx, labels.of_prompts()[tokens.prompt_idx]));
    add_numbers(digest, tokens.ids);
    add_numbers(digest, tokens.taps);
  }
  for (const std::string& label : labels.names()) digest.update(label + "\n");
  return digest.finish();
}

/// Of what the encoder has besides its matrix: some formats take it from a configuration beside the file.
std::string terms_digest(const EncoderParameters& encoder) {
  Digest digest = Digest::sha256();
  digest.update(
      fmt::format("{} {} ", static_cast<int>(encoder.function), static_cast<int>(encoder.input_norm)));
  add_numbers(digest, std::vector<float>{encoder.threshold});
  for (const auto* values :
       {&encoder.input_bias, &encoder.scale, &encoder.bias, &encoder.feature_threshold, &encoder.gate_bias}) {
    add_numbers(digest, *values);
  }
  return digest.finish();
}

Json sae_json(const OpenedSource& source) {
  Json files = Json::array();
  for (const auto& file : source.sae.files) files.push_back(sampled_key(*file));
  const EncoderParameters& encoder = source.sae.encoder;
  Json tokens = Json::object();
  for (const TokenPlan& token : source.plan->tokens) {
    Json ids = Json::array();
    for (const WantedFeature& wanted : token.features) ids.push_back(wanted.feature_id);
    tokens[token.token.name] = ids;
  }
  return {{"source", source.plan->source.name()},
          {"format", std::string(source.sae.format)},
          {"class", encoder.class_name},
          {"features", encoder.dict_size},
          {"k", encoder.k},
          {"files", files},
          {"terms", terms_digest(encoder)},
          {"every_feature", source.plan->universal},
          {"tokens", tokens}};
}

Json model_json(const OpenedModel& model, const RunPlan& plan, const Labels& labels, const Context& context) {
  Json types = Json::array();
  for (const TokenType& type : model.prepared.token_types) types.push_back(type.name);
  Json layers = Json::object();
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    Json& saes = layers[std::to_string(model.prepared.plan.layers[i].layer)] = Json::array();
    for (const OpenedSource& source : model.layers[i]) saes.push_back(sae_json(source));
  }
  return {{"name", model.prepared.plan.entry.name},
          {"weights", weights_key(model.checkpoint, plan, context)},
          {"configuration", fingerprint(model.checkpoint.model.config)},
          {"prompts", prompts_digest(model.prepared.prompts, labels)},
          {"token_types", types},
          {"layers", layers}};
}

/// All that the results depend on but the kind of processor.
Json identity(const std::deque<OpenedModel>& models, const RunPlan& plan, const Context& context) {
  const Labels labels(*plan.prompts);
  Json all = {{"format", kFormat},
              {"dtype", plan.compute.dtype == Precision::kFp32 ? "fp32" : "bf16"},
              {"stored", plan.compute.stored == Precision::kFp32 ? "fp32" : "bf16"},
              {"activation_threshold", plan.keep.activation_threshold},
              {"by_label", plan.keep.by_label},
              {"details", plan.keep.details},
              {"all_tokens", plan.keep.all_tokens},
              {"models", Json::array()}};
  for (const OpenedModel& model : models) {
    all["models"].push_back(model_json(model, plan, labels, context));
  }
  return all;
}

/// Writes a file unless there is one, which another machine may be doing at the same moment. A link to a
/// finished file is made or refused as a whole, on NFS, too. @return what the file holds then
std::string write_once(const fs::path& path, const std::string& text) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    const fs::path own = path.string() + fmt::format(".{}-{}", ::gethostid(), ::getpid());
    write_file_atomically(own, text);
    const bool no_links = ::link(own.c_str(), path.c_str()) != 0 && errno != EEXIST;
    if (no_links && ::rename(own.c_str(), path.c_str()) == 0) return text;
    fs::remove(own, error);
  }
  return read_file(path);
}

/// Nothing where the file of a job is damaged.
std::optional<std::string> numerics_in(const std::string& manifest) {
  const Json begun = Json::parse(manifest, nullptr, false);
  if (!begun.is_object()) return std::nullopt;
  const auto numerics = begun.find("numerics");
  if (numerics == begun.end() || !numerics->is_string()) return std::nullopt;
  return numerics->get<std::string>();
}

}  // namespace

Job Job::open(const std::deque<OpenedModel>& models, const RunPlan& plan, const Backend& backend,
              const Context& context) {
  const auto store = store_of(plan.compute);
  if (!store) {
    throw InputError({.what = "a stage of a run needs a store that all machines see",
                      .where = "command line",
                      .expected = "--store DIR",
                      .hint = "the user's cache is one where the account has a home folder"});
  }
  const std::string text = identity(models, plan, context).dump(1);
  Job job(jobs_folder(*store) / sha256_of(text).substr(0, 32),
          backend.numerics(compute_type(plan.compute.dtype)));
  const fs::path manifest = job.folder() / "job.json";
  const Json own = {{"numerics", job.numerics()}, {"depends_on", Json::parse(text)}};
  const std::string own_text = own.dump(1) + "\n";
  const auto theirs = numerics_in(write_once(manifest, own_text));
  if (!theirs) {
    // Parts say the numerics of their activations, too: nothing of another kind of processor is joined.
    context.progress->warn(fmt::format("{}: the file is damaged and is written again", manifest.string()));
    write_file_atomically(manifest, own_text);
  } else if (*theirs != job.numerics()) {
    throw InputError(
        {.what = "this processor rounds the model's products in another way than the one that began the job",
         .where = manifest.string(),
         .expected = *theirs,
         .found = job.numerics(),
         .hint =
             "run all tasks on one kind of processor (Slurm: --constraint), or with --dtype fp32, or with "
             "ONEDNN_MAX_CPU_ISA=AVX2 on all of them; remove the folder to begin anew"});
  }
  return job;
}

fs::path Job::part(Share task, std::size_t model) const {
  return folder_ / fmt::format("encode-{}-of-{}", task.index + 1, task.count) /
         fmt::format("model-{}", model + 1);
}

std::vector<std::size_t> Job::task_counts() const {
  std::set<std::size_t> counts;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    const std::size_t of = name.rfind("-of-");
    if (!name.starts_with("encode-") || of == std::string::npos) continue;
    const char* const end = name.data() + name.size();
    std::size_t count = 0;
    const auto [rest, failure] = std::from_chars(name.data() + of + 4, end, count);
    const bool is_count = failure == std::errc() && rest == end && count > 0 && count <= Share::kMost;
    if (is_count) counts.insert(count);  // else it is no folder of a task
  }
  return {counts.begin(), counts.end()};
}

}  // namespace saescope
