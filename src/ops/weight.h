#pragma once

#include <memory>
#include <utility>

#include "tensor/tensor_view.h"

namespace saescope {

/// A matrix of weights as a backend holds it. Made by Backend::bind; a plain view is one that needs nothing
/// besides the mapped file, as on the CPU.
struct Weight : TensorView {
  Weight() = default;
  Weight(TensorView view) : TensorView(std::move(view)) {}  // NOLINT(google-explicit-constructor)

  std::shared_ptr<void> device = nullptr;  ///< what a device keeps of it; null: nothing
};

}  // namespace saescope
