#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/float_spool.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// The residual stream of one model behind one layer at one token type, for every prompt.
class KeptActivations {
 public:
  /// @param hidden size of an activation @param folder where they are set aside @throws RunError
  KeptActivations(std::string model, int64_t layer, std::string token, std::size_t hidden,
                  const std::filesystem::path& folder);

  /// Adds consecutive prompts. @param rows [prompts, hidden]
  void add(std::span<const std::size_t> prompt_indices, MatrixView<const float> rows);

  const std::string& model() const { return model_; }
  int64_t layer() const { return layer_; }
  const std::string& token() const { return token_; }
  std::size_t hidden() const { return hidden_; }
  /// Ascending.
  const std::vector<std::size_t>& prompts() const { return prompts_; }

  /// Calls visit(row) with the activation of each prompt, in order.
  template <typename Visit>
  void for_each(Visit&& visit) {
    std::vector<float> row(hidden_);
    spool_.rewind();
    for (std::size_t i = 0; i < prompts_.size(); ++i) {
      spool_.read(row);
      visit(std::span<const float>(row));
    }
  }

 private:
  std::string model_;
  int64_t layer_;
  std::string token_;
  std::size_t hidden_;
  std::vector<std::size_t> prompts_;
  FloatSpool spool_;
};

}  // namespace saescope
