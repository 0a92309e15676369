#include "plan/model_entry.h"

#include "base/placeholders.h"

namespace saescope {

bool is_gguf(const std::filesystem::path& path) { return path.extension() == ".gguf"; }

std::string ModelEntry::sae_folder(std::string_view of_trainer, int64_t layer) const {
  const auto own = sae_paths.find(std::to_string(layer) + "/" + std::string(of_trainer));
  if (own != sae_paths.end()) return own->second;
  return fill_placeholders(sae_path,
                           {{"layer", std::to_string(layer)}, {"trainer", std::string(of_trainer)}});
}

}  // namespace saescope
