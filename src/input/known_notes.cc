#include "input/known_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/placeholders.h"

namespace saescope {
namespace {

std::string shown_key(const DescriptionKey& key) { return key.model_id + "/" + key.layer_id; }

/// "a/b (120), c/d (3) and 4 more".
template <typename List, typename Show>
std::string list_some(const List& list, const Show& show) {
  constexpr std::size_t kShown = 4;
  std::string text;
  std::size_t shown = 0;
  for (const auto& element : list) {
    if (shown == kShown) return text + fmt::format(" and {} more", list.size() - kShown);
    text += (shown++ == 0 ? "" : ", ") + show(element);
  }
  return text;
}

void report_skipped(const Descriptions& texts, const std::set<DescriptionKey>& wanted, const char* flag,
                    Progress& progress) {
  if (texts.skipped_sources().empty()) return;
  const std::string others = list_some(texts.skipped_sources(), [](const auto& other) {
    return fmt::format("{} ({})", shown_key(other.first), other.second);
  });
  if (texts.matched() > 0) {
    progress.info(fmt::format("{}: explanations of other dictionaries were skipped: {}", flag, others));
    return;
  }
  progress.warn(fmt::format(
      "{}: no explanation is of a dictionary of this run ({}); found were {}. The configuration's keys "
      "descriptions and pt_descriptions say which belong to a model",
      flag, list_some(wanted, [](const DescriptionKey& key) { return shown_key(key); }), others));
}

}  // namespace

std::optional<DescriptionKey> published_source(const ModelEntry& entry, const Source& source,
                                               std::string ModelEntry::*ids) {
  const std::string& own = entry.*ids;
  if (!own.empty()) {
    const std::string filled =
        fill_placeholders(own, {{"layer", std::to_string(source.layer)}, {"trainer", source.trainer}});
    const std::size_t slash = filled.find('/');
    return DescriptionKey{filled.substr(0, slash), filled.substr(slash + 1)};
  }
  return key_of_link(entry.link_of(source.trainer, source.layer));
}

DescriptionKey export_source(const ModelEntry& entry, const Source& source, std::string ModelEntry::*ids) {
  auto key = published_source(entry, source, ids);
  return key ? *std::move(key) : DescriptionKey{entry.name, source.name()};
}

std::optional<KnownNotes::Column> KnownNotes::read_column(const Export& from,
                                                          const std::vector<ModelPlan>& models,
                                                          Progress& progress) {
  if (from.paths.empty()) return std::nullopt;
  std::map<std::string, DescriptionKey> key_of_source;
  std::set<DescriptionKey> wanted;
  for (const ModelPlan& model : models) {
    for (const LayerPlan& layer : model.layers) {
      for (const SourcePlan& plan : layer.sources) {
        DescriptionKey key = export_source(model.entry, plan.source, from.ids);
        wanted.insert(key);
        key_of_source.emplace(plan.source.name(), std::move(key));
      }
    }
  }
  Column column = {read_descriptions(from.paths, wanted), std::move(key_of_source)};
  report_skipped(column.texts, wanted, from.flag, progress);
  return column;
}

KnownNotes::KnownNotes(const std::vector<RequestedFeature>& requested, const std::vector<ModelPlan>& models,
                       const DescriptionPaths& paths, Progress& progress) {
  for (const RequestedFeature& feature : requested) {
    if (feature.notes.empty()) continue;
    requested_.emplace(std::tuple(feature.source.name(), feature.feature_id, feature.token), feature.notes);
  }
  chat_ = read_column({"--descriptions", paths.chat, &ModelEntry::descriptions}, models, progress);
  pt_ = read_column({"--pt-descriptions", paths.pretraining, &ModelEntry::pt_descriptions}, models, progress);
}

std::string KnownNotes::find(const std::optional<Column>& column, const std::string& source,
                             int64_t feature_id) {
  if (!column) return {};
  const auto key = column->key_of_source.find(source);
  return key == column->key_of_source.end() ? std::string() : column->texts.text(key->second, feature_id);
}

FeatureNotes KnownNotes::notes(const Source& source, const std::string& token, int64_t feature_id) const {
  const std::string name = source.name();
  FeatureNotes notes;
  for (const std::string& of_token : {token, std::string()}) {
    const auto found = requested_.find(std::tuple(name, feature_id, of_token));
    if (found != requested_.end()) notes.complete_with(found->second);
  }
  notes.complete_with({find(chat_, name, feature_id), find(pt_, name, feature_id), {}});
  return notes;
}

}  // namespace saescope
