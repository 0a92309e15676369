#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/model_entry.h"

namespace saescope {

/// A published release of SAEs, and the model they are run on: a row of `catalogue.toml`, which is part of
/// the program.
struct Release {
  std::string name;
  ModelEntry entry;                      ///< of its default; its name is what --models takes
  std::string format;                    ///< of the SAEs' files
  std::vector<std::string> widths;       ///< that `width` may be; empty: its SAEs do not differ in it
  std::vector<std::string> l0s;          ///< that `l0` may be; empty: any number, or no such choice
  std::map<std::string, int64_t> l0_of;  ///< "LAYER/WIDTH" → what the l0 `canonical` stands for there
  std::string note;

  /// Whether a trainer is a width and an l0.
  bool has_l0() const { return !l0s.empty() || !l0_of.empty(); }
};

/// All releases, in the file's order.
const std::vector<Release>& catalogue();

const Release* find_release(std::string_view name);
/// The first release whose entry has this name, or null.
const Release* find_release_of_entry(std::string_view entry_name);
/// The first release that runs on a model, by the last part of its name, or null.
const Release* find_release_of_model(std::string_view model);

/// A release's entry for a width and an l0, each the default where empty.
/// @throws InputError (`where` left empty) where the release has no such width or l0
ModelEntry entry_of(const Release& release, const std::string& width, const std::string& l0);

/// Name, release, model, format, layers and trainers of a release, as users read them.
using CatalogueRow = std::array<std::string, 6>;
std::vector<CatalogueRow> catalogue_rows();

/// The table that --list prints.
std::string catalogue_table();
/// The same for programs: a JSON object on each line.
std::string catalogue_json();

}  // namespace saescope
