#include "cli/configuration.h"

#include <optional>
#include <string>

#include "fuzz_target.h"

namespace {

std::optional<std::string> environment(const std::string& name) {
  if (name == "HOME") return "/home/user";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  return saescope::testing::run_fuzz_text(data, size, [](std::string_view toml) {
    using saescope::parse_configuration;
    const auto configuration = parse_configuration(toml, "/fuzz/config.toml", environment);
    const std::string printed = print_configuration(configuration);
    // What ${X:-$}{Y} puts together is not expanded, but would be when it is read again.
    if (printed.find("${") != std::string::npos) return;
    const auto again = parse_configuration(printed, "/fuzz/config.toml", environment);
    saescope::testing::require(again.models == configuration.models);
  });
}
