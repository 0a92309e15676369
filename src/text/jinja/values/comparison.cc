#include "text/jinja/values/comparison.h"

#include <algorithm>
#include <compare>

#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

// Integers and doubles alike fit a long double, so mixed comparisons are exact as in Python.
std::partial_ordering order_numbers(const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) return a.integral() <=> b.integral();
  const auto wide = [](const Value& v) -> long double {
    return v.is_integral() ? static_cast<long double>(v.integral()) : v.number();
  };
  return wide(a) <=> wide(b);
}

bool equal_sequences(Runtime& runtime, const Value& a, const Value& b) {
  const Sequence& left = a.sequence();
  const Sequence& right = b.sequence();
  const bool same_type = left.kind == right.kind || (a.is_tuple() && b.is_tuple());
  if (!same_type) return false;
  if (left.kind == SequenceKind::kDictKeys || left.kind == SequenceKind::kDictItems) {
    runtime.fail("comparing views of dicts is not supported");
  }
  const bool by_identity = left.kind == SequenceKind::kGenerator || left.kind == SequenceKind::kDictValues;
  if (by_identity || left.items.size() != right.items.size()) return false;
  return std::equal(left.items.begin(), left.items.end(), right.items.begin(),
                    [&](const Value& x, const Value& y) { return equal(runtime, x, y); });
}

bool equal_dicts(Runtime& runtime, const Dict& a, const Dict& b) {
  if (a.entries.size() != b.entries.size()) return false;
  return std::all_of(a.entries.begin(), a.entries.end(), [&](const auto& entry) {
    const Value* other = b.find(runtime, entry.first);
    return other != nullptr && equal(runtime, entry.second, *other);
  });
}

std::partial_ordering order(Runtime& runtime, const Value& a, const Value& b) {
  runtime.spend(1);
  if (a.is_number() && b.is_number()) return order_numbers(a, b);
  if (a.is_string() && b.is_string()) {
    runtime.spend_bytes(std::min(a.bytes().size(), b.bytes().size()));
    return a.bytes().compare(b.bytes()) <=> 0;  // UTF-8 sorts as code points do
  }
  const bool lists = a.is_sequence(SequenceKind::kList) && b.is_sequence(SequenceKind::kList);
  if (!lists && !(a.is_tuple() && b.is_tuple())) {
    if (a.is_undefined()) runtime.fail(a.undefined_message());
    if (b.is_undefined()) runtime.fail(b.undefined_message());
    runtime.fail("'" + std::string(a.type_name()) + "' and '" + std::string(b.type_name()) +
                 "' cannot be ordered");
  }
  const std::vector<Value>& left = a.sequence().items;
  const std::vector<Value>& right = b.sequence().items;
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (!equal(runtime, left[i], right[i])) return order(runtime, left[i], right[i]);
  }
  return left.size() <=> right.size();
}

}  // namespace

bool equal(Runtime& runtime, const Value& a, const Value& b) {
  runtime.spend(1);
  if (a.is_number() && b.is_number()) return order_numbers(a, b) == 0;
  if (a.is_string() && b.is_string()) {
    if (a.bytes().size() != b.bytes().size()) return false;
    runtime.spend_bytes(a.bytes().size());
    return a.bytes() == b.bytes();
  }
  if (a.same_as(b)) return true;
  if (a.is_sequence() && b.is_sequence()) return equal_sequences(runtime, a, b);
  return a.is_dict() && b.is_dict() && equal_dicts(runtime, a.dict(), b.dict());
}

bool less(Runtime& runtime, const Value& a, const Value& b) { return order(runtime, a, b) < 0; }

bool compare(Runtime& runtime, CompareOp op, const Value& a, const Value& b) {
  switch (op) {
    case CompareOp::kEqual:
      return equal(runtime, a, b);
    case CompareOp::kNotEqual:
      return !equal(runtime, a, b);
    case CompareOp::kLess:
      return order(runtime, a, b) < 0;
    case CompareOp::kLessEqual:
      return order(runtime, a, b) <= 0;
    case CompareOp::kGreater:
      return order(runtime, a, b) > 0;
    case CompareOp::kGreaterEqual:
      return order(runtime, a, b) >= 0;
    case CompareOp::kIn:
      return contains(runtime, b, a);
    case CompareOp::kNotIn:
      break;
  }
  return !contains(runtime, b, a);
}

bool contains(Runtime& runtime, const Value& container, const Value& item) {
  if (container.is_undefined()) return false;
  if (container.is_string()) {
    if (!item.is_string()) {
      runtime.fail("'in <string>' requires string as left operand, not " + std::string(item.type_name()));
    }
    runtime.spend_bytes(container.bytes().size());
    return find_text(container.bytes(), item.bytes()) != std::string::npos;
  }
  if (container.is_dict()) return container.dict().find(runtime, item) != nullptr;
  if (!container.is_sequence()) {
    runtime.fail("argument of type '" + std::string(container.type_name()) + "' is not iterable");
  }
  const Sequence& sequence = container.sequence();
  std::size_t at = sequence.consumed;
  bool found = false;
  while (at < sequence.items.size() && !found) {
    const Value& candidate = sequence.items[at++];
    found = candidate.same_as(item) || equal(runtime, candidate, item);
  }
  if (sequence.kind == SequenceKind::kGenerator) sequence.consumed = at;
  return found;
}

}  // namespace saescope::jinja
