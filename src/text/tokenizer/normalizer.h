#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/offset_map.h"

namespace saescope {

/// A Unicode normalisation form.
enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

/// The normaliser of a tokenizer: normalisation forms, one after the other.
class Normalizer {
 public:
  Normalizer() = default;
  explicit Normalizer(std::vector<NormalForm> forms) : forms_(std::move(forms)) {}

  /// The normalised text. Precondition: valid UTF-8.
  /// @param origins if given, receives where its bytes come from, a map for each change: the last one is to
  /// be
  ///        asked first
  std::string apply(std::string_view text, std::vector<OffsetMap>* origins = nullptr) const;

  /// Whether `apply` gives back every text as it is.
  bool is_identity() const { return forms_.empty(); }

 private:
  std::vector<NormalForm> forms_;
};

}  // namespace saescope
