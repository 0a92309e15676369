#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace saescope {

/// A Unicode normalisation form.
enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

/// The normaliser of a tokenizer: normalisation forms, one after the other.
class Normalizer {
 public:
  Normalizer() = default;
  explicit Normalizer(std::vector<NormalForm> forms) : forms_(std::move(forms)) {}

  /// The normalised text. Precondition: valid UTF-8.
  std::string apply(std::string_view text) const;

  /// Whether `apply` gives back every text as it is.
  bool is_identity() const { return forms_.empty(); }

 private:
  std::vector<NormalForm> forms_;
};

}  // namespace saescope
