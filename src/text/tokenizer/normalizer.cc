#include "text/tokenizer/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer/text_replacement.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/tokenizer/unicode_tables.h"

namespace saescope {
namespace {

// The first code point that is changed by a form or composes with the one before it.
char32_t first_changing_of(NormalForm form) { return form == NormalForm::kNfc ? 0x300 : 0x80; }

bool is_composed(NormalForm form) { return form == NormalForm::kNfc || form == NormalForm::kNfkc; }

bool is_compatible(NormalForm form) { return form == NormalForm::kNfkc || form == NormalForm::kNfkd; }

utf8proc_propval_t combining_class(int32_t c) { return utf8proc_get_property(c)->combining_class; }

void append_decomposed(std::vector<int32_t>& out, char32_t c, utf8proc_option_t options) {
  std::array<int32_t, 32> buffer{};  // the longest decomposition has 18 code points
  int boundary = 0;
  const auto count =
      utf8proc_decompose_char(static_cast<int32_t>(c), buffer.data(), std::ssize(buffer), options, &boundary);
  if (count < 0 || count > std::ssize(buffer)) {
    throw RunError({.what = "cannot normalise text", .found = utf8proc_errmsg(count)});
  }
  out.insert(out.end(), buffer.begin(), buffer.begin() + count);
}

// Canonical ordering. utf8proc's own takes quadratic time over a long run of marks.
void order_marks(std::vector<int32_t>& text) {
  for (auto begin = text.begin(); begin != text.end();) {
    if (combining_class(*begin) == 0) {
      ++begin;
      continue;
    }
    const auto end = std::find_if(begin, text.end(), [](int32_t c) { return combining_class(c) == 0; });
    std::stable_sort(begin, end,
                     [](int32_t a, int32_t b) { return combining_class(a) < combining_class(b); });
    begin = end;
  }
}

// Ends a stretch that is normalised on its own: appends it to `out` and clears it.
void flush(std::vector<int32_t>& stretch, NormalForm form, std::string& out) {
  order_marks(stretch);
  auto count = static_cast<utf8proc_ssize_t>(stretch.size());
  if (is_composed(form)) {
    const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    count = utf8proc_normalize_utf32(stretch.data(), count, options);
  }
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    append_utf8(out, static_cast<char32_t>(stretch[static_cast<std::size_t>(i)]));
  }
  stretch.clear();
}

/// Tells where the bytes of `out` behind `begin` come from: a stretch of the text that was normalised on its
/// own. What is equal at its end is known exactly.
void add_origins(std::string_view stretch, std::size_t stretch_begin, std::string_view out, std::size_t begin,
                 OffsetMap& origins) {
  const std::string_view made = out.substr(begin);
  const auto [differs, unused] = std::mismatch(made.rbegin(), made.rend(), stretch.rbegin(), stretch.rend());
  const auto equal = static_cast<std::size_t>(differs - made.rbegin());
  origins.add(begin, stretch_begin);
  if (equal < made.size()) origins.add(out.size() - equal, stretch_begin + stretch.size() - equal);
}

std::string normalise(std::string_view text, NormalForm form, OffsetMap* origins) {
  const char32_t first_changing = first_changing_of(form);
  const auto options =
      static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | (is_compatible(form) ? UTF8PROC_COMPAT : 0));
  std::string out;
  out.reserve(text.size());
  std::vector<int32_t> stretch;
  std::size_t stretch_begin = 0;
  const auto end_stretch = [&](std::size_t end) {
    if (stretch.empty()) return;
    const std::size_t begin = out.size();
    flush(stretch, form, out);
    if (origins == nullptr) return;
    add_origins(text.substr(stretch_begin, end - stretch_begin), stretch_begin, out, begin, *origins);
    origins->add(out.size(), end);
  };
  for (std::size_t pos = 0; pos < text.size();) {
    const Utf8Char c = decode_utf8(text, pos);
    const bool plain = c.code_point < first_changing;
    const bool left_alone = !plain && unicode::is_left_alone_by_normalisers(c.code_point);
    // Nothing composes with what stands before such a character.
    if (plain || left_alone) end_stretch(pos);
    if (stretch.empty()) stretch_begin = pos;
    if (left_alone || (plain && decode_utf8(text, pos + c.length).code_point < first_changing)) {
      out.append(text.substr(pos, c.length));
    } else {
      append_decomposed(stretch, c.code_point, options);
    }
    pos += c.length;
  }
  end_stretch(text.size());
  return out;
}

// Whether the text is certainly normal: its lead bytes are all below those of `first`.
bool is_plain(std::string_view text, char32_t first) {
  std::string encoded;
  append_utf8(encoded, first);
  const auto lead = static_cast<unsigned char>(encoded.front());
  return std::all_of(text.begin(), text.end(), [&](char c) { return static_cast<unsigned char>(c) < lead; });
}

// Applies the steps to a text, one after the other.
class Normalization {
 public:
  Normalization(std::string_view text, std::vector<OffsetMap>* origins) : text_(text), origins_(origins) {}

  void operator()(NormalForm form) {
    if (!is_plain(text_, first_changing_of(form))) text_ = normalise(text_, form, next_origins());
  }

  void operator()(const Normalizer::Replace& replace) {
    std::vector<TextRange> matches;
    if (replace.pattern) {
      std::string storage;
      replace.pattern->find_all(regex_view(text_, storage), matches);
    } else {
      matches = find_literal(text_, replace.text);
    }
    if (!matches.empty()) text_ = replace_matches(text_, matches, replace.content, next_origins());
  }

  void operator()(const Normalizer::Prepend& prepend) {
    if (!text_.empty()) text_ = replace_matches(text_, {{0, 0}}, prepend.text, next_origins());
  }

  std::string take() { return std::move(text_); }

 private:
  OffsetMap* next_origins() { return origins_ == nullptr ? nullptr : &origins_->emplace_back(); }

  std::string text_;
  std::vector<OffsetMap>* origins_;
};

}  // namespace

bool Normalizer::rewrites() const {
  return std::any_of(steps_.begin(), steps_.end(), [](const Step& step) {
    const auto* const replace = std::get_if<Replace>(&step);
    const bool marks = replace != nullptr && replace->text == " " && replace->content == kSpaceMark;
    return !std::holds_alternative<NormalForm>(step) && !marks;
  });
}

std::string Normalizer::apply(std::string_view text, std::vector<OffsetMap>* origins) const {
  Normalization normalization(text, origins);
  for (const Step& step : steps_) std::visit(normalization, step);
  return normalization.take();
}

}  // namespace saescope
