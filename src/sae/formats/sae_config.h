#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/error.h"

namespace saescope {

/// Typed look-ups in the JSON configuration of an SAE, with errors that name file and key; `null` counts as
/// absent.
class SaeConfig {
 public:
  /// @throws InputError where it is no object
  SaeConfig(nlohmann::json object, std::string path);
  /// @throws InputError, RunError where the file cannot be read
  static SaeConfig read(const std::string& path);

  const nlohmann::json* find(const char* key) const;
  std::string text(const char* key, const std::string& fallback = {}) const;
  bool flag(const char* key, bool fallback) const;
  std::optional<int64_t> integer(const char* key) const;
  std::optional<double> number(const char* key) const;
  /// An object within; an empty one where there is none.
  SaeConfig child(const char* key) const;

  /// @throws InputError where a number of the configuration is there and not the weights'
  void check_extent(const char* key, uint64_t from_weights) const;
  InputError bad(const char* key, std::string expected, std::string found) const;
  /// An SAE that this program does not read. @param what it is
  InputError refused(std::string what, std::string expected, std::string found) const;
  const std::string& path() const { return path_; }

 private:
  nlohmann::json object_;
  std::string path_;
};

/// The layer whose residual stream a hook of TransformerLens or a module of Hugging Face names:
/// `blocks.L.hook_resid_post`, `blocks.L.hook_resid_pre` (the layer before), `model.layers.L`,
/// `model.layers.L.output`.
/// @return nothing where the name is empty @throws InputError where it names anything else
std::optional<int64_t> residual_layer(const std::string& hook, const SaeConfig& config);

/// The number behind a word in a path, such as 12 of "x/layer_12_width_16k"; the last one.
std::optional<int64_t> number_behind(std::string_view word, std::string_view path);

}  // namespace saescope
