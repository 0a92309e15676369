#include "sae/formats/sae_format.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "sae/formats/bare_state_dict.h"
#include "sae/formats/dictionary_learning.h"
#include "sae/formats/gemma_scope.h"
#include "sae/formats/llama_scope.h"
#include "sae/formats/sae_lens.h"
#include "sae/formats/sparsify.h"

namespace saescope {
namespace {

bool holds_all_files(const SaeFormat& format, const std::filesystem::path& folder) {
  return std::all_of(format.files.begin(), format.files.end(), [&](const char* name) {
    std::error_code error;
    return std::filesystem::exists(folder / name, error);
  });
}

}  // namespace

std::span<const SaeFormat* const> sae_formats() {
  static constexpr std::array kFormats = {&kDictionaryLearning, &kSaeLens,      &kGemmaScope2,
                                          &kGemmaScope1,        &kSparsify,     &kLlamaScopeR1,
                                          &kLlamaScope,         &kBareStateDict};
  return kFormats;
}

const SaeFormat* find_sae_format(const std::filesystem::path& path) {
  std::error_code error;
  if (const SaeFormat* single = single_file_format(path.string())) {
    return std::filesystem::is_regular_file(path, error) ? single : nullptr;
  }
  const auto formats = sae_formats();
  const auto found = std::find_if(formats.begin(), formats.end(), [&](const SaeFormat* format) {
    return !format->files.empty() && holds_all_files(*format, path);
  });
  return found == formats.end() ? nullptr : *found;
}

const SaeFormat* single_file_format(std::string_view path) {
  return path.ends_with(".pt") || path.ends_with(".pth") ? &kBareStateDict : nullptr;
}

std::string without_sae_file(std::string_view path) {
  for (const SaeFormat* format : sae_formats()) {
    for (const std::string_view file : format->files) {
      const bool at_end = path.ends_with(file) && path.size() > file.size();
      if (at_end && path[path.size() - file.size() - 1] == '/') {
        return std::string(path.substr(0, path.size() - file.size() - 1));
      }
    }
  }
  return std::string(path);
}

std::string sae_formats_in_words() {
  std::string words;
  for (const SaeFormat* format : sae_formats()) {
    if (!words.empty()) words += "; ";
    words += format->in_words;
  }
  return words;
}

}  // namespace saescope
