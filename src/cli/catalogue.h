#pragma once

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
  ModelEntry entry;                        ///< of its default; {l0} of its paths is not filled in
  std::string format;                      ///< of the SAEs' files
  std::vector<int64_t> layers;             ///< all that were published
  std::vector<std::string> trainers;       ///< widths, or what else the SAEs of a layer differ in
  std::string l0;                          ///< of the default; empty: its SAEs have one each
  std::vector<std::string> l0s;            ///< all that were published; empty: the repository knows
  std::map<std::string, int64_t> l0_of;    ///< "LAYER/TRAINER" → what `canonical` stands for there
  std::string link_l0;                     ///< only SAEs of this l0 have pages
  std::vector<std::string> link_trainers;  ///< and of these widths; empty: all
  std::string note;
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

/// The table that --list prints.
std::string catalogue_table();

}  // namespace saescope
