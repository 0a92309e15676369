#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formats/torch_archive.h"
#include "ops/encode/encoder_parameters.h"

namespace saescope {

/// Which way round a matrix is stored.
enum class Orientation {
  kOutIn,  ///< as torch's Linear: the encoder [F, d], the decoder [d, F]
  kInOut,  ///< the other way round
};

/// Checked look-ups in the tensors of an SAE's weight file, with errors that name it.
class SaeTensors {
 public:
  /// @param state must outlive this @param path the weight file's, for messages
  /// @param kind what the tensors should be those of, for messages
  SaeTensors(const TorchStateDict& state, std::string path, std::string kind)
      : state_(state), path_(std::move(path)), kind_(std::move(kind)) {}

  bool has(std::string_view name) const { return state_.tensors.contains(name); }
  /// @throws InputError where there is no such tensor
  const TensorView& tensor(std::string_view name) const;
  /// A vector in float32. @throws InputError where it is none of that size
  std::vector<float> vector(std::string_view name, std::size_t size) const;
  /// A number that is stored as a 0-dim tensor or as a plain Python number; nothing where there is none.
  std::optional<double> number(std::string_view name) const;
  /// A limit that is NaN would let no activation, or any, pass without a word. @throws InputError
  void require_no_nan(std::string_view name, std::span<const float> limits) const;

  /// Binds the encoder's matrix as [F, d], in place, whichever way round it is stored, and sets both extents.
  void bind_weight(std::string_view name, Orientation orientation, EncoderParameters& encoder) const;
  /// Euclidean norm of every feature's decoder vector, summed in double. @return [F]
  std::vector<float> decoder_norms(std::string_view name, Orientation orientation,
                                   const EncoderParameters& encoder) const;

  InputError bad_strides(std::string_view name, const TensorView& view, std::string expected) const;
  /// What the file holds, for messages.
  std::string list_keys() const;
  const std::string& path() const { return path_; }

 private:
  InputError unusable(std::string_view name, const TensorView& view, std::string expected) const;

  const TorchStateDict& state_;
  std::string path_;
  std::string kind_;
};

/// Sets k. @param config the file that holds it, for messages @throws InputError where it is not from 1 to F
void set_k(int64_t k, const std::string& config, EncoderParameters& encoder);

}  // namespace saescope
