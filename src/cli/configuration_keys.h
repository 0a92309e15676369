#pragma once

#include <toml++/toml.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace saescope {

/// A value of a configuration file together with its dotted key, for messages.
struct ConfigValue {
  const toml::node& node;
  std::string key;   ///< "models.llama.layers"
  std::string file;  ///< the configuration file

  /// "FILE:LINE: KEY".
  std::string place() const;
  /// A value that cannot be used; `found` is the value's type where left empty.
  InputError error(std::string what, std::string expected, std::string found = {},
                   std::string hint = {}) const;

  /// @throws InputError where the value has another type, as all of these do.
  std::string text() const;
  int64_t integer() const;
  const toml::table& table() const;
  const toml::array& array() const;
  /// A table's values in the order in which they stand in the file (toml++ sorts them by name).
  std::vector<std::pair<std::string, ConfigValue>> members() const;
  /// @throws InputError on a member of this table that is not among `known`.
  void refuse_unknown(const std::vector<std::string>& known) const;
};

/// "a string", "a number", "a table": a value's type in messages.
std::string_view type_name(const toml::node& node);

}  // namespace saescope
