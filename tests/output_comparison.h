#pragma once

#include <filesystem>

namespace saescope::testing_support {

/// Compares a CSV with the oracle's, field by field: texts and integers must be equal, other numbers within
/// 1e-4 relative (of 1e-3 at least), which is what two float32 forward passes may differ by.
void expect_same_csv(const std::filesystem::path& actual_path, const std::filesystem::path& expected_path);

/// Compares recorded prompts (JSON lines) likewise, keys and their order included.
void expect_same_records(const std::filesystem::path& actual_path,
                         const std::filesystem::path& expected_path);

}  // namespace saescope::testing_support
