#include "model/architectures/architecture.h"

#include <algorithm>
#include <array>

#include "model/architectures/gemma2.h"
#include "model/architectures/gemma3.h"
#include "model/architectures/llama.h"
#include "model/architectures/mistral.h"
#include "model/architectures/qwen2.h"
#include "model/architectures/qwen3.h"

namespace saescope {
namespace {

constexpr std::array kArchitectures = {&kGemma2,  &kGemma3, &kGemma3Text, &kLlama,
                                       &kMistral, &kQwen2,  &kQwen3};

}  // namespace

const Architecture* find_architecture(std::string_view name) {
  const auto found = std::find_if(kArchitectures.begin(), kArchitectures.end(),
                                  [&](const Architecture* known) { return known->name == name; });
  return found == kArchitectures.end() ? nullptr : *found;
}

std::string architecture_names() {
  std::string names;
  for (std::size_t i = 0; i < kArchitectures.size(); ++i) {
    if (i > 0) names += i + 1 == kArchitectures.size() ? " or " : ", ";
    names += kArchitectures[i]->name;
  }
  return names;
}

}  // namespace saescope
