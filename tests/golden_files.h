#pragma once

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/atomic_file.h"
#include "formats/safetensors.h"
#include "tensor/mapped_file.h"

namespace saescope::testing_support {

inline std::filesystem::path source_dir() { return SAESCOPE_SOURCE_DIR; }
inline std::filesystem::path goldens() { return source_dir() / "tests/goldens"; }

inline nlohmann::json read_json(const std::filesystem::path& path) {
  return nlohmann::json::parse(read_file(path));
}

/// A safetensors file and the memory its views point into.
class GoldenTensors {
 public:
  explicit GoldenTensors(const std::filesystem::path& path)
      : file_(path), tensors_(parse_safetensors(file_.bytes(), path.string()).tensors) {}

  /// A float32 tensor as rows of its last axis.
  MatrixView<const float> rows(const std::string& name) const {
    const TensorView& view = tensors_.at(name);
    const std::size_t cols = view.shape.back();
    return {reinterpret_cast<const float*>(view.data), element_count(view.shape) / cols, cols, cols};
  }

 private:
  MappedFile file_;
  NamedTensors tensors_;
};

/// Sums for a relative Frobenius error over any number of matrices.
class RelativeError {
 public:
  void add(MatrixView<const float> actual, MatrixView<const float> expected) {
    for (std::size_t r = 0; r < expected.rows; ++r) {
      for (std::size_t c = 0; c < expected.cols; ++c) {
        const double difference = double{actual.row(r)[c]} - expected.row(r)[c];
        error_ += difference * difference;
        norm_ += double{expected.row(r)[c]} * expected.row(r)[c];
      }
    }
  }
  double value() const { return std::sqrt(error_ / norm_); }

 private:
  double error_ = 0;
  double norm_ = 0;
};

/// Where the tools that fetch what tests need put it.
inline std::filesystem::path fetched_files() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path folder = cache != nullptr && *cache != '\0'
                                           ? std::filesystem::path(cache)
                                           : std::filesystem::path(home == nullptr ? "" : home) / ".cache";
  return folder / "saescope";
}

/// The demo model, where tools/fetch_demo_model.sh put it.
inline std::filesystem::path demo_model() { return fetched_files() / "demo/SmolLM2-135M-Instruct.Q4_1.gguf"; }

/// Gemma 3 270M, where tools/fetch_gemma3.sh put it.
inline std::filesystem::path gemma3_model() { return fetched_files() / "gemma3/gemma-3-270m-q4_k_m.gguf"; }

/// The real models' tokenizers, where tools/fetch_tokenizers.sh put them.
inline std::filesystem::path real_tokenizers() {
  const char* folder = std::getenv("SAESCOPE_TOKENIZERS");
  return folder != nullptr && *folder != '\0' ? std::filesystem::path(folder)
                                              : fetched_files() / "tokenizers";
}

}  // namespace saescope::testing_support

#define SAESCOPE_SKIP_WITHOUT_DEMO_MODEL()                                                  \
  if (!std::filesystem::exists(saescope::testing_support::demo_model())) {                  \
    GTEST_SKIP() << "SKIPPED: no demo model at " << saescope::testing_support::demo_model() \
                 << "; run tools/fetch_demo_model.sh (needs a network once)";               \
  }                                                                                         \
  static_assert(true, "")
