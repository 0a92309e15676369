#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "formats/safetensors.h"
#include "formats/touch_testing.h"

namespace saescope::testing {

using Bytes = std::vector<std::byte>;

inline Bytes to_bytes(std::string_view text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

/// A file that tools/oracle/make_format_goldens.py wrote.
inline Bytes golden(const std::string& name) {
  return to_bytes(read_file(std::filesystem::path(SAESCOPE_SOURCE_DIR) / "tests/goldens/formats" / name));
}

/// A number as its little-endian bytes.
template <typename T>
std::string raw(T value) {
  std::string text(sizeof(T), '\0');
  std::memcpy(text.data(), &value, sizeof(T));
  return text;
}

/// All elements in row-major order.
template <typename T>
std::vector<T> elements(const TensorView& view) {
  std::vector<T> values;
  for (uint64_t i = 0; i < element_count(view.shape); ++i) {
    uint64_t rest = i;
    uint64_t offset = 0;
    for (std::size_t axis = view.shape.size(); axis-- > 0;) {
      offset += rest % view.shape[axis] * view.strides[axis];
      rest /= view.shape[axis];
    }
    T value;
    std::memcpy(&value, view.data + offset * sizeof(T), sizeof(T));
    values.push_back(value);
  }
  return values;
}

/// 0, 0.25, 0.5, …: what the goldens' tensors hold.
inline std::vector<float> quarters(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i) / 4;
  return values;
}

/// The message of the InputError that `run` throws; a test failure where it throws nothing.
inline std::string input_error(const std::function<void()>& run) {
  try {
    run();
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no InputError";
  return {};
}

using Parse = std::function<NamedTensors(std::span<const std::byte>)>;

/// Every shorter file, each in memory of exactly its size, must be refused with an InputError.
inline void expect_truncations_refused(const Bytes& file, const Parse& parse) {
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Bytes part(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(parse(part), InputError) << "cut after " << size << " bytes";
  }
}

/// Whatever a changed byte leads to, it is an InputError or views that lie in the file.
inline void expect_changes_survived(const Bytes& file, const Parse& parse) {
  Bytes changed = file;
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const std::byte flip : {std::byte{0x01}, std::byte{0x80}, std::byte{0xFF}}) {
      changed[i] = file[i] ^ flip;
      try {
        touch(parse(changed));
      } catch (const InputError&) {
        continue;
      } catch (const std::exception& error) {
        ADD_FAILURE() << "byte " << i << ": " << error.what();
      }
    }
    changed[i] = file[i];
  }
}

}  // namespace saescope::testing
