#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hostile/case.h"

// Torch archives put together by hand.

namespace saescope::hostile {

/// The program of a pickle, as opcodes in text.
namespace pickle {

std::string text(const std::string& value);
std::string integer(int64_t value);
std::string global(const std::string& module, const std::string& name);
std::string tuple(const std::vector<int64_t>& values);

/// What a tensor is made from; as in the pickle, every field may lie.
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
  int64_t offset = 0;
  int64_t storage_elements = 8192;
  std::string storage = "0";
  std::string storage_class = "FloatStorage";
};
std::string tensor(const Tensor& tensor);

/// A dict of these keys and values, from the protocol to STOP.
std::string dict(const std::map<std::string, std::string>& items);

}  // namespace pickle

/// An archive of this pickle and one storage, "0", of 32 KiB of zeros.
std::string torch_archive(const std::string& program);
Change torch_file(std::string program);

/// The archive of an SAE as the run wants it (BatchTopKSAE, 256 features of 32 dimensions), with one entry
/// of its state dict replaced.
Change sae_with(const std::string& key, const std::string& value);

}  // namespace saescope::hostile
