#pragma once

#include <filesystem>

#include "cli/configuration.h"
#include "cli/configuration_keys.h"

namespace saescope {

/// What reading an entry needs besides its values.
struct EntryContext {
  std::filesystem::path folder;  ///< of the configuration file: relative paths start there
  const Environment& environment;
};

/// Reads one table [models.NAME].
/// @param is_new every required key must be there; else `entry` holds the entry that is overridden key by key
/// @throws InputError with the place of the key that cannot be used
void read_model_entry(const ConfigValue& value, bool is_new, ModelEntry& entry, const EntryContext& context);

}  // namespace saescope
