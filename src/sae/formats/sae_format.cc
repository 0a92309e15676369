#include "sae/formats/sae_format.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "sae/formats/dictionary_learning.h"

namespace saescope {

std::span<const SaeFormat* const> sae_formats() {
  static constexpr std::array kFormats = {&kDictionaryLearning};
  return kFormats;
}

const SaeFormat* find_sae_format(const std::filesystem::path& folder) {
  const auto formats = sae_formats();
  const auto found = std::find_if(formats.begin(), formats.end(), [&](const SaeFormat* format) {
    return format->recognise(*format, folder);
  });
  return found == formats.end() ? nullptr : *found;
}

bool holds_all_files(const SaeFormat& format, const std::filesystem::path& folder) {
  return std::all_of(format.files.begin(), format.files.end(), [&](const char* name) {
    std::error_code error;
    return std::filesystem::exists(folder / name, error);
  });
}

}  // namespace saescope
