#include "engine/opened_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "assets/sae_files.h"
#include "base/error.h"

namespace saescope {
namespace {

/// The part of a model's name that people keep when they move it: "Llama-3.1-8B-Instruct", in lower case.
std::string short_name(std::string_view name) {
  while (name.ends_with('/')) name.remove_suffix(1);
  std::string last(name.substr(name.rfind('/') + 1));
  std::transform(last.begin(), last.end(), last.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return last;
}

/// Whether a model of this name may be of an architecture, as far as the names of both tell. Many models are
/// of the architecture llama, but those of Qwen and Gemma have their own.
bool same_family(std::string_view model, std::string_view architecture) {
  constexpr std::array<std::string_view, 3> kFamilies = {"llama", "qwen", "gemma"};
  const std::string name = short_name(model);
  const auto named = std::find_if(kFamilies.begin(), kFamilies.end(),
                                  [&](std::string_view family) { return name.starts_with(family); });
  const auto own = std::find_if(kFamilies.begin(), kFamilies.end(),
                                [&](std::string_view family) { return architecture.starts_with(family); });
  return named == kFamilies.end() || own == kFamilies.end() || *named == *own;
}

/// An SAE of another model or layer runs without complaint, and what it finds means nothing.
/// @return what the SAE says that it was trained on, where nobody can tell whether that is the run's model
std::string check_origin(const OpenedSource& source, ModelFiles& files) {
  const SaeOrigin& origin = source.sae.origin;
  const ModelEntry& entry = files.entry();
  if (!entry.check_sae) return {};
  const auto fail = [&](std::string what, std::string expected, std::string found) {
    return InputError(
        {.what = fmt::format("the SAE of {} was trained on another {}", source.plan->source.name(), what),
         .where = origin.place,
         .expected = std::move(expected),
         .found = std::move(found),
         .hint = fmt::format("correct `model`, `sae_path` or `layers` of [models.{0}], or say with "
                             "`check_sae = false` there that this is meant",
                             entry.name)});
  };
  if (!origin.other.empty())
    throw fail("part of the model", "the residual stream behind a block", origin.other);
  if (origin.layer && *origin.layer != source.plan->source.layer) {
    throw fail("layer", fmt::format("layer {}", source.plan->source.layer),
               fmt::format("layer {}", *origin.layer));
  }
  if (origin.model.empty()) return {};
  const std::string published = files.published_name();
  if (published.find('/') != std::string::npos) {
    if (short_name(published) != short_name(origin.model)) throw fail("model", published, origin.model);
  } else if (!same_family(origin.model, files.config().architecture->name)) {
    throw fail("model", fmt::format("a model of the architecture {}", files.config().architecture->name),
               origin.model);
  } else if (short_name(entry.model).find(short_name(origin.model)) == std::string::npos) {
    return fmt::format("{}: SAEs trained on {}, model {}", entry.name, origin.model, entry.model);
  }
  return {};
}

/// What was recognised, where it is not the usual package's.
std::string format_note(const OpenedSource& source, const ModelEntry& entry) {
  const OpenedSae& sae = source.sae;
  if (sae.format == sae_formats().front()->name) return {};
  return fmt::format("{}: SAEs in the form of {}, {} of {} features", entry.name, sae.format,
                     sae.encoder.class_name, sae.encoder.dict_size);
}

void check_encoder(const OpenedSource& source, const ModelConfig& config,
                   const std::vector<RequestedFeature>& requested) {
  const SourcePlan& plan = *source.plan;
  const EncoderParameters& encoder = source.sae.encoder;
  if (encoder.activation_dim != config.hidden_size) {
    throw InputError({.what = fmt::format("the SAE of {} was made for another model", plan.source.name()),
                      .where = source.sae.files.front()->path().parent_path().string(),
                      .expected = fmt::format("activations of size {}", config.hidden_size),
                      .found = fmt::format("size {}", encoder.activation_dim)});
  }
  for (const TokenPlan& token : plan.tokens) {
    for (const WantedFeature& wanted : token.features) {
      if (wanted.feature_id >= 0 && static_cast<uint64_t>(wanted.feature_id) < encoder.dict_size) continue;
      throw InputError({.what = fmt::format("no such feature in {}", plan.source.name()),
                        .where = requested[wanted.row].place,
                        .expected = fmt::format("feature_id from 0 to {}", encoder.dict_size - 1),
                        .found = std::to_string(wanted.feature_id)});
    }
  }
}

}  // namespace

void OpenedModel::require_unchanged() const {
  for (const auto& file : checkpoint.files) file->require_unchanged();
  for (const auto& sources : layers) {
    for (const OpenedSource& source : sources) {
      for (const auto& file : source.sae.files) file->require_unchanged();
    }
  }
}

OpenedModel open_model(PreparedModel prepared, const std::vector<RequestedFeature>& requested,
                       const LocalCopies& copies, Hub& hub, Progress& progress) {
  OpenedModel opened{std::move(prepared), {}, {}, {}};
  opened.checkpoint = opened.prepared.files->checkpoint(opened.prepared.plan.layer_count(), copies);
  for (const LayerPlan& layer : opened.prepared.plan.layers) {
    std::deque<OpenedSource>& sources = opened.layers.emplace_back();
    for (const SourcePlan& plan : layer.sources) {
      const SaeFiles files(opened.prepared.plan.entry, plan.source, hub);
      const OpenedSource& source = sources.emplace_back(OpenedSource{&plan, files.open(progress), {}});
      for (const std::string& warning : source.sae.notes) progress.warn(warning);
      auto& told = opened.origins;
      for (const std::string& note :
           {check_origin(source, *opened.prepared.files), format_note(source, opened.prepared.plan.entry)}) {
        if (!note.empty() && std::find(told.begin(), told.end(), note) == told.end()) told.push_back(note);
      }
      check_encoder(source, opened.prepared.files->config(), requested);
    }
  }
  const ModelEntry& entry = opened.prepared.plan.entry;
  const auto note = [&](const std::string& what, const std::string& repo, const std::string& commit) {
    if (!commit.empty())
      opened.origins.push_back(fmt::format("{}: {} {} at commit {}", entry.name, what, repo, commit));
  };
  note("model", entry.model, opened.prepared.files->revision());
  if (!entry.sae.empty()) note("SAEs", entry.sae, hub.commit(entry.sae).value_or(""));
  return opened;
}

}  // namespace saescope
