#include "cli/selection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/json_text.h"
#include "cli/one_off.h"
#include "cli/suggestion.h"

namespace saescope {
namespace {

InputError unknown_name(std::string what, std::string where, std::string_view name,
                        const std::vector<std::string>& known) {
  return InputError({.what = std::move(what),
                     .where = std::move(where),
                     .expected = fmt::format("one of {}", fmt::join(known, ", ")),
                     .found = shown_text(name),
                     .hint = did_you_mean(name, known, {})});
}

template <typename T>
bool contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

const ModelEntry& require_model(const Configuration& configuration, const std::string& name,
                                std::string_view where) {
  if (const ModelEntry* entry = configuration.find(name)) return *entry;
  throw unknown_name("unknown model", std::string(where), name, configuration.names());
}

std::vector<std::string> token_names(const std::vector<ModelEntry>& entries) {
  std::vector<std::string> names;
  for (const ModelEntry& entry : entries) {
    for (const TokenType& token : entry.tokens) {
      if (!contains(names, token.name)) names.push_back(token.name);
    }
  }
  return names;
}

/// A name in --tokens that no model of the configuration has is a typing mistake.
void require_known_tokens(const Options& options, const Configuration& configuration) {
  const std::vector<std::string> known = token_names(configuration.models);
  for (const std::string& name : options.tokens) {
    if (!contains(known, name)) throw unknown_name("unknown token type", "--tokens", name, known);
  }
}

/// The entry with its token types restricted to --tokens; none may be left.
ModelEntry restrict_tokens(const ModelEntry& entry, const Options& options) {
  ModelEntry restricted = entry;
  if (options.tokens.empty()) return restricted;
  std::erase_if(restricted.tokens,
                [&](const TokenType& token) { return !contains(options.tokens, token.name); });
  return restricted;
}

/// SAEs of other layers or trainers than the entry's own must be there, and need a place of their own below
/// sae_dir: without the placeholder the same dictionary would be read under a name that is not its own.
void require_own_folder(const ModelEntry& entry, const Source& source, const std::string& where) {
  at_place(where, [&] { entry.require_sae(source.trainer, source.layer); });
  if (entry.has_own_path(source.trainer, source.layer)) return;
  const auto in_path = [&](std::string_view placeholder) {
    return entry.sae_path.find(placeholder) != std::string::npos;
  };
  const auto check = [&](bool told_apart, std::string_view placeholder, std::string_view value) {
    if (told_apart) return;
    throw InputError(
        {.what = fmt::format("{} has dictionaries of its configured layer and trainer only", entry.name),
         .where = where,
         .expected = fmt::format("{} in models.{}.sae_path", placeholder, entry.name),
         .found = fmt::format("{} for {}", shown_text(entry.sae_path), value),
         .hint = {}});
  };
  check(contains(entry.layers, source.layer) || in_path("{layer}"), "{layer}",
        fmt::format("layer {}", source.layer));
  check(entry.trainer == source.trainer || in_path("{trainer}") || (in_path("{width}") && in_path("{l0}")),
        "{trainer}", fmt::format("trainer {}", source.trainer));
}

/// Collects the sources of all models and hands them out in order.
class PlanBuilder {
 public:
  PlanBuilder(const Options& options, const Configuration& configuration)
      : options_(options), configuration_(configuration) {}

  void add_universal() {
    for (const ModelEntry& entry : chosen_models(options_, configuration_)) {
      for (const int64_t layer : options_.layers.empty() ? entry.layers : options_.layers) {
        const Source source{entry.name, options_.trainer.value_or(entry.trainer), layer};
        require_own_folder(entry, source, options_.layers.empty() ? "--trainer" : "--layers");
        Draft& draft = drafts_[source];
        draft.universal = true;
        for (const TokenType& token : entry.tokens) draft.tokens[token.name];
      }
    }
  }

  /// The layers themselves, where the residual stream is an output and nothing else is.
  void add_layers() {
    for (const ModelEntry& entry : chosen_models(options_, configuration_)) {
      const auto& layers = options_.layers.empty() ? entry.layers : options_.layers;
      bare_layers_[entry.name].insert(layers.begin(), layers.end());
    }
  }

  void add_specific(const std::vector<RequestedFeature>& features) {
    require_known_tokens(options_, configuration_);
    std::set<std::string> left_out;
    for (std::size_t row = 0; row < features.size(); ++row) {
      if (!add_row(features[row], row)) left_out.insert(features[row].place);
    }
    if (left_out.empty()) return;
    warnings_.push_back(fmt::format("--tokens leaves {} of {} rows of the features CSV without a token type",
                                    left_out.size(), features.size()));
  }

  Selection build() && {
    Selection selection{{}, std::move(warnings_)};
    for (const ModelEntry& entry : configuration_.models) {
      ModelPlan plan{restrict_tokens(entry, options_), {}, !options_.activations.empty()};
      std::map<int64_t, std::vector<SourcePlan>> layers;
      for (const int64_t layer : bare_layers_[entry.name]) layers[layer];
      for (auto& [source, draft] : drafts_) {
        if (source.model == entry.name) layers[source.layer].push_back(finish(plan.entry, source, draft));
      }
      for (auto& [layer, sources] : layers) {
        std::sort(sources.begin(), sources.end(),
                  [](const SourcePlan& a, const SourcePlan& b) { return a.source.name() < b.source.name(); });
        plan.layers.push_back({layer, std::move(sources)});
      }
      if (!plan.layers.empty()) selection.models.push_back(std::move(plan));
    }
    return selection;
  }

 private:
  struct Draft {
    bool universal = false;
    std::map<std::string, std::vector<WantedFeature>> tokens;
    std::map<std::string, std::set<int64_t>> seen;  ///< feature ids of each token type
  };

  /// @return whether the row reads at least one token type
  bool add_row(const RequestedFeature& feature, std::size_t row) {
    const ModelEntry& entry = require_model(configuration_, feature.source.model, feature.place);
    if (!feature.token.empty()) {
      const std::vector<std::string> known = token_names({entry});
      if (!contains(known, feature.token)) {
        throw unknown_name(fmt::format("{} has no such token type", entry.name), feature.place, feature.token,
                           known);
      }
    }
    require_own_folder(entry, feature.source, feature.place);
    bool read = false;
    for (const TokenType& token : entry.tokens) {
      if (!feature.token.empty() && token.name != feature.token) continue;
      if (!options_.tokens.empty() && !contains(options_.tokens, token.name)) continue;
      read = true;
      Draft& draft = drafts_[feature.source];
      // A row without a token type and one with it may name the same pair: it counts once.
      if (!draft.seen[token.name].insert(feature.feature_id).second) continue;
      draft.tokens[token.name].push_back({feature.feature_id, row});
    }
    return read;
  }

  static SourcePlan finish(const ModelEntry& entry, const Source& source, Draft& draft) {
    SourcePlan plan{source, entry.sae_folder(source.trainer, source.layer), draft.universal, {}};
    for (auto& [name, features] : draft.tokens) {
      const auto token = std::find_if(entry.tokens.begin(), entry.tokens.end(),
                                      [&n = name](const TokenType& t) { return t.name == n; });
      plan.tokens.push_back({*token, std::move(features)});
    }
    return plan;
  }

  const Options& options_;
  const Configuration& configuration_;
  std::map<Source, Draft> drafts_;
  std::map<std::string, std::set<int64_t>> bare_layers_;
  std::vector<std::string> warnings_;
};

}  // namespace

Configuration read_configuration(const Options& options, const std::vector<RequestedFeature>& features) {
  Configuration configuration =
      options.config.empty() ? builtin_configuration() : load_configuration(options.config);
  add_from_catalogue(options.models, configuration);
  std::set<std::string> sources;
  for (const RequestedFeature& feature : features) sources.insert(feature.source.model);
  add_from_catalogue({sources.begin(), sources.end()}, configuration);
  add_one_off(options, configuration);
  return configuration;
}

std::vector<ModelEntry> chosen_models(const Options& options, const Configuration& configuration) {
  require_known_tokens(options, configuration);
  std::vector<ModelEntry> entries;
  for (const std::string& name : options.models.empty() ? configuration.defaults : options.models) {
    const ModelEntry& entry = require_model(configuration, name, "--models");
    entries.push_back(restrict_tokens(entry, options));
    if (!entries.back().tokens.empty()) continue;
    throw InputError({.what = fmt::format("{} has none of these token types", name),
                      .where = "--tokens",
                      .expected = fmt::format("one of {}", fmt::join(token_names({entry}), ", ")),
                      .found = fmt::format("{}", fmt::join(options.tokens, ", ")),
                      .hint = "choose the models that have them with --models"});
  }
  return entries;
}

Selection select_work(const Options& options, const Configuration& configuration,
                      const std::vector<RequestedFeature>& features) {
  PlanBuilder builder(options, configuration);
  if (options.universal()) builder.add_universal();
  if (options.specific()) builder.add_specific(features);
  if (!options.analysis) builder.add_layers();
  return std::move(builder).build();
}

}  // namespace saescope
