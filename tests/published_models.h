#pragma once

#include <filesystem>
#include <optional>

#include "hub/test_hub.h"

namespace saescope::testing_support {

/// A tokenizer file that serve_published_models needs and this machine lacks; nothing where all are there.
std::optional<std::filesystem::path> missing_tokenizer_file();

/// Fills a test hub with four repositories: two tiny models in the published layout with the real tokenizers
/// and templates, and their SAEs (tests/goldens/hub). Weights and SAEs are LFS files, the rest regular ones.
/// @throws std::runtime_error where a generated shard is not the one that the oracle read
void serve_published_models(TestHub& hub);

}  // namespace saescope::testing_support
