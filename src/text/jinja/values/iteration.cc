#include "text/jinja/values/iteration.h"

#include <algorithm>
#include <limits>

#include "base/utf8.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

int64_t slice_part(Runtime& runtime, const Value& part) {
  if (!part.is_integral()) runtime.fail("slice indices must be integers or None");
  return part.integral();
}

}  // namespace

std::vector<Value> iterate(Runtime& runtime, const Value& value) {
  if (value.is_undefined()) return {};
  std::vector<Value> out;
  if (value.is_string()) {
    const std::string& text = value.bytes();
    runtime.reserve_items(4 * value.text().code_points);  // a character is a string of its own
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = decode_utf8(text, at).length;
      out.push_back(runtime.text(text.substr(at, length)));
      at += length;
    }
    return out;
  }
  if (value.is_dict()) {
    runtime.reserve_items(value.dict().entries.size());
    for (const auto& entry : value.dict().entries) out.push_back(entry.first);
    return out;
  }
  if (!value.is_sequence()) {
    runtime.fail("'" + std::string(value.type_name()) + "' object is not iterable");
  }
  const Sequence& sequence = value.sequence();
  runtime.reserve_items(sequence.items.size() - sequence.consumed);
  out.assign(sequence.items.begin() + static_cast<std::ptrdiff_t>(sequence.consumed), sequence.items.end());
  if (sequence.kind == SequenceKind::kGenerator) sequence.consumed = sequence.items.size();
  return out;
}

bool is_iterable(const Value& value) {
  return value.is_undefined() || value.is_string() || value.is_dict() || value.is_sequence();
}

std::optional<int64_t> length(Runtime& runtime, const Value& value) {
  std::size_t size = 0;
  if (value.is_string()) {
    size = value.text().code_points;
  } else if (value.is_dict()) {
    size = value.dict().entries.size();
  } else if (value.is_sequence()) {
    if (value.sequence().kind == SequenceKind::kGenerator) return std::nullopt;
    size = value.sequence().items.size();
  } else if (value.is_object()) {
    return value.object()->length(runtime);
  } else if (!value.is_undefined()) {
    return std::nullopt;
  }
  return static_cast<int64_t>(size);
}

SliceRange slice_range(Runtime& runtime, int64_t size, const Value& start, const Value& stop,
                       const Value& step) {
  SliceRange range;
  if (!step.is_none()) range.step = slice_part(runtime, step);
  if (range.step == 0) runtime.fail("slice step cannot be zero");
  // as -step must exist
  range.step = std::max(range.step, -std::numeric_limits<int64_t>::max());
  const bool backwards = range.step < 0;
  const int64_t lowest = backwards ? -1 : 0;
  const int64_t highest = backwards ? size - 1 : size;
  const auto bound = [&](const Value& part, int64_t absent) {
    if (part.is_none()) return absent;
    int64_t index = slice_part(runtime, part);
    if (index < 0) index = std::max(index, -size - 1) + size;
    return std::clamp(index, lowest, highest);
  };
  range.first = bound(start, backwards ? highest : lowest);
  const int64_t last = bound(stop, backwards ? lowest : highest);
  if (backwards) {
    if (last < range.first) range.count = (range.first - last - 1) / -range.step + 1;
  } else if (range.first < last) {
    range.count = (last - range.first - 1) / range.step + 1;
  }
  return range;
}

Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step) {
  if (object.is_undefined()) runtime.fail(object.undefined_message());
  const bool is_list = object.is_sequence(SequenceKind::kList);
  if (!object.is_string() && !is_list && !object.is_tuple()) {
    runtime.fail("slices of '" + std::string(object.type_name()) + "' are not supported");
  }
  const SliceRange range = slice_range(runtime, *length(runtime, object), start, stop, step);
  const auto position = [&](int64_t i) { return static_cast<std::size_t>(range.first + i * range.step); };
  if (object.is_string()) {
    const Text& text = object.text();
    runtime.spend_bytes(text.bytes.size());
    if (range.step == 1) {
      const auto first = static_cast<std::size_t>(range.first);
      const auto end = first + static_cast<std::size_t>(range.count);
      const std::size_t from = text.is_ascii() ? first : byte_offset(text.bytes, first);
      const std::size_t to = text.is_ascii() ? end : byte_offset(text.bytes, end);
      return runtime.text(text.bytes.substr(from, to - from), text.markup);
    }
    const std::u32string code_points = decode(text.bytes);
    std::u32string picked;
    for (int64_t i = 0; i < range.count; ++i) picked.push_back(code_points[position(i)]);
    return runtime.text(encode(picked), text.markup);
  }
  runtime.reserve_items(static_cast<uint64_t>(range.count));
  std::vector<Value> items;
  for (int64_t i = 0; i < range.count; ++i) items.push_back(object.sequence().items[position(i)]);
  return runtime.sequence(is_list ? SequenceKind::kList : SequenceKind::kTuple, std::move(items));
}

}  // namespace saescope::jinja
