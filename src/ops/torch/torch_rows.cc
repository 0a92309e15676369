#include "ops/torch/torch_rows.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

namespace saescope {

TorchTensor tensor_of(const TorchDevice& device, const Array& array) {
  return device.on_device(
      array.bytes(), {static_cast<int64_t>(array.rows()), static_cast<int64_t>(array.cols())}, array.dtype());
}

const TorchTensor& TorchVectors::find(std::span<const float> values) {
  const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  const std::size_t hash = std::hash<std::string_view>()(bytes);
  const auto [first, last] = sent_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const std::vector<float>& known = it->second.values;
    if (known.size() == values.size() && std::memcmp(known.data(), bytes.data(), bytes.size()) == 0) {
      return it->second.tensor;
    }
  }
  Sent sent = {{values.begin(), values.end()}, device_.upload(values, {static_cast<int64_t>(values.size())})};
  return sent_.emplace(hash, std::move(sent))->second.tensor;
}

const TorchRope::Table& TorchRope::find(const RopeFrequencies& frequencies, int32_t max_position) {
  const auto known = [&](const Table& table) {
    return table.inverse == frequencies.inverse && table.magnitude == frequencies.magnitude;
  };
  auto table = std::find_if(sent_.begin(), sent_.end(), known);
  if (table == sent_.end()) {
    table = sent_.insert(sent_.end(), Table{frequencies.inverse, frequencies.magnitude, 0, {}, {}});
  }
  if (table->positions > max_position) return *table;
  const auto half = static_cast<int64_t>(frequencies.inverse.size());
  const int64_t positions = std::max<int64_t>(int64_t{max_position} + 1, 2 * table->positions);
  const RopeTable& host = tables_.find(frequencies, static_cast<int32_t>(positions - 1));
  const auto size = static_cast<std::size_t>(positions * half);
  TorchTensor cosine = device_.upload(std::span(host.cosine(0), size), {positions, half});
  TorchTensor sine = device_.upload(std::span(host.sine(0), size), {positions, half});
  table->cosine = std::move(cosine);  // both or none: memory may run out before
  table->sine = std::move(sine);
  table->positions = positions;
  return *table;
}

void TorchRope::rotate(const Array& x, std::span<const int32_t> positions,
                       const RopeFrequencies& frequencies) {
  if (positions.empty()) return;
  const Table& table = find(frequencies, *std::max_element(positions.begin(), positions.end()));
  const auto rows = static_cast<int64_t>(x.rows());
  const auto cols = static_cast<int64_t>(x.cols());
  const auto half = static_cast<int64_t>(frequencies.inverse.size());
  const int64_t heads = cols / (2 * half);
  const TorchTensor indices =
      device_.upload(std::vector<int64_t>(positions.begin(), positions.end()), {rows});
  const auto of_rows = [&](const TorchTensor& all) {
    const TorchTensor some = device_.empty({rows, half});
    device_.gather(all, indices, some);
    return some.view({rows, 1, half}, {half, half, 1});
  };
  const TorchTensor cosine = of_rows(table.cosine);
  const TorchTensor sine = of_rows(table.sine);
  const bool interleaved = frequencies.layout == RopeLayout::kInterleaved;
  const TorchTensor all = tensor_of(device_, x);
  const TorchShape strides = {cols, 2 * half, interleaved ? 2 : 1};
  const TorchTensor first = all.view({rows, heads, half}, strides);
  const TorchTensor second = all.view({rows, heads, half}, strides, interleaved ? 1 : half);
  const TorchTensor turned_first =
      device_.subtract(device_.multiply(first, cosine), device_.multiply(second, sine));
  const TorchTensor turned_second =
      device_.add(device_.multiply(second, cosine), device_.multiply(first, sine));
  first.copy_from(turned_first);
  second.copy_from(turned_second);
}

void torch_rms_norm(const TorchDevice& device, const Array& x, const NormTerms& terms, std::size_t d,
                    std::size_t piece, const Array& out) {
  const auto cols = static_cast<int64_t>(x.cols());
  const auto size = static_cast<int64_t>(d);
  const auto most = static_cast<int64_t>(piece);
  const TorchTensor filled = device.empty({most, cols});
  filled.set_zero();
  const TorchTensor groups = filled.reshape({most * cols / size, size});
  const TorchTensor from = tensor_of(device, x);
  const TorchTensor to = tensor_of(device, out);
  for (int64_t row = 0; row < static_cast<int64_t>(x.rows()); row += most) {
    const int64_t rows = std::min(most, static_cast<int64_t>(x.rows()) - row);
    const auto existing = [&](const TorchTensor& matrix, int64_t first) {
      return matrix.view({rows, cols}, {cols, 1}, first * cols);
    };
    existing(filled, 0).copy_from(existing(from, row));
    const TorchTensor mean =
        device.divide(device.sum(device.multiply(groups, groups)), device.number(static_cast<float>(size)));
    const TorchTensor scale = device.rsqrt(device.add(mean, device.number(terms.epsilon)));
    const TorchTensor normed = device.multiply(device.multiply(groups, scale), terms.factors);
    const TorchTensor result = existing(normed, 0);
    const TorchTensor place = existing(to, row);
    if (terms.store == Store::kAdd) {
      place.copy_from(device.add(place, result));
    } else {
      place.copy_from(result);
    }
  }
}

}  // namespace saescope
