#include "text/tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <cstdint>
#include <limits>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer/regex_dialect.h"
#include "text/tokenizer/unicode_tables.h"

namespace saescope {
namespace {

constexpr std::size_t kJitStackStart = 32 * 1024;
constexpr std::size_t kJitStackLimit = 64 * 1024 * 1024;  // reserved, touched only as needed

template <auto free_function>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    free_function(pointer);
  }
};
using CodePointer = std::unique_ptr<pcre2_code, Deleter<pcre2_code_free>>;

std::string error_text(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

// Matching may take a time that grows exponentially with the text, so steps are counted. An attempt at one
// place of the text gets a few, then four times as many, and so on; what such attempts take together is
// limited. Patterns that split text into words take some 10 steps at a place, or as many as a run of white
// space has characters.
constexpr uint32_t kFirstSteps = 256;
constexpr uint64_t kMostSteps = uint64_t{1} << 24;  // about a quarter of a second
constexpr uint64_t kStepsPerByte = 16;
constexpr uint32_t kHeapLimit = 256 * 1024;  // KiB

// What a thread needs to match, made once per thread.
class Matcher {
 public:
  Matcher()
      : data_(pcre2_match_data_create(1, nullptr)),
        context_(pcre2_match_context_create(nullptr)),
        stack_(pcre2_jit_stack_create(kJitStackStart, kJitStackLimit, nullptr)) {
    if (!data_ || !context_) throw RunError({.what = "out of memory for a regular expression"});
    pcre2_set_depth_limit(context_.get(), std::numeric_limits<uint32_t>::max());
    pcre2_set_heap_limit(context_.get(), kHeapLimit);
    pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
  }

  // Looks for the first match at or after `from`, or at `from` alone where `options` say so.
  // @return PCRE2's result: not negative (0 where groups captured, too), PCRE2_ERROR_NOMATCH,
  // PCRE2_ERROR_MATCHLIMIT or another error
  int run(const pcre2_code* code, std::string_view text, std::size_t from, uint32_t options, uint32_t steps) {
    pcre2_set_match_limit(context_.get(), steps);
    const int result = run_once(code, text, from, options | PCRE2_NO_UTF_CHECK);
    if (result != PCRE2_ERROR_JIT_STACKLIMIT) return result;
    return run_once(code, text, from, options | PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT);  // on the heap instead
  }

  TextRange match() const {
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(data_.get());
    return {offsets[0], offsets[1]};
  }

 private:
  int run_once(const pcre2_code* code, std::string_view text, std::size_t from, uint32_t options) {
    return pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from, options,
                       data_.get(), context_.get());
  }

  std::unique_ptr<pcre2_match_data, Deleter<pcre2_match_data_free>> data_;
  std::unique_ptr<pcre2_match_context, Deleter<pcre2_match_context_free>> context_;
  std::unique_ptr<pcre2_jit_stack, Deleter<pcre2_jit_stack_free>> stack_;
};

Matcher& matcher_of_this_thread() {
  static thread_local Matcher matcher;
  return matcher;
}

CodePointer compile_code(const std::string& pattern, uint32_t options, const std::string& where) {
  using CompileContext = std::unique_ptr<pcre2_compile_context, Deleter<pcre2_compile_context_free>>;
  const CompileContext context(pcre2_compile_context_create(nullptr));
  if (!context) throw RunError({.what = "out of memory for a regular expression"});
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  CodePointer code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options,
                                 &error, &offset, context.get()));
  if (!code) {
    throw InputError(
        {.what = "cannot understand a regular expression of the tokenizer",
         .where = where,
         .found = pattern + " (" + error_text(error) + " at byte " + std::to_string(offset) + ")"});
  }
  return code;
}

// A pattern twice. What the JIT makes of it is fast, but does not count all of its steps; the interpreter
// counts them where no repetition is made possessive.
struct Codes {
  Codes(const std::string& pattern, uint32_t options, const std::string& where)
      : fast(compile_code(pattern, options, where)),
        counted(compile_code(pattern, options | not_possessive(options), where)) {
    // Where the machine has no JIT, matching is slower but the same.
    static_cast<void>(pcre2_jit_compile(fast.get(), PCRE2_JIT_COMPLETE));
  }
  static uint32_t not_possessive(uint32_t options) {
    return (options & PCRE2_LITERAL) == 0 ? PCRE2_NO_AUTO_POSSESS : 0;
  }
  CodePointer fast;
  CodePointer counted;
};

std::size_t length_of_char(std::string_view text, std::size_t pos) {
  const std::size_t length = decode_utf8(text, pos).length;
  return length == 0 ? 1 : length;
}

// The first code point that regex_view replaces is U+0295.
constexpr unsigned char kFirstReplacedLead = 0xCA;

}  // namespace

struct Regex::Code {
  Codes codes;
  std::string pattern;
  std::string where;
};

namespace {

// Finds the matches of one text, with one limit on the steps of them all.
class Search {
 public:
  Search(const Codes& codes, std::string_view text)
      : codes_(codes),
        text_(text),
        matcher_(matcher_of_this_thread()),
        steps_left_(kMostSteps + kStepsPerByte * text.size()) {}

  // The first match at or after `from`. @return PCRE2's result, as Matcher::run
  int next(std::size_t from, TextRange& match) {
    int result = matcher_.run(codes_.fast.get(), text_, from, 0, kFirstSteps);
    // Some place takes more steps; from there on each place is tried for itself.
    if (result == PCRE2_ERROR_MATCHLIMIT) {
      for (result = PCRE2_ERROR_NOMATCH; result == PCRE2_ERROR_NOMATCH && from <= text_.size();) {
        result = match_at(from);
        from += length_of_char(text_, from);
      }
    }
    if (result >= 0) match = matcher_.match();
    return result;
  }

 private:
  int match_at(std::size_t place) {
    uint32_t steps = kFirstSteps;
    int result = matcher_.run(codes_.fast.get(), text_, place, PCRE2_ANCHORED, steps);
    while (result == PCRE2_ERROR_MATCHLIMIT && 4 * uint64_t{steps} <= steps_left_) {
      steps *= 4;
      steps_left_ -= steps;
      result = matcher_.run(codes_.counted.get(), text_, place, PCRE2_ANCHORED, steps);
      if (result == PCRE2_ERROR_HEAPLIMIT) {  // the JIT needs less memory
        result = matcher_.run(codes_.fast.get(), text_, place, PCRE2_ANCHORED, steps);
      }
    }
    return result;
  }

  const Codes& codes_;
  std::string_view text_;
  Matcher& matcher_;
  uint64_t steps_left_;
};

}  // namespace

Regex Regex::from_pattern(const std::string& pattern, const std::string& where) {
  refuse_other_dialects(pattern, where);
  // Ruby's ^ and $ always match at line ends.
  constexpr uint32_t kOptions = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE;
  return Regex(std::make_shared<const Code>(Code{Codes(pattern, kOptions, where), pattern, where}));
}

Regex Regex::from_literal(const std::string& text, const std::string& where) {
  refuse_replaced_characters(text, where);
  constexpr uint32_t kOptions = PCRE2_UTF | PCRE2_LITERAL;
  return Regex(std::make_shared<const Code>(Code{Codes(text, kOptions, where), text, where}));
}

void Regex::find_all(std::string_view text, std::vector<TextRange>& matches) const {
  Search search(code_->codes, text);
  TextRange match;
  bool any = false;
  std::size_t from = 0;
  while (from <= text.size()) {
    const int result = search.next(from, match);
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0) fail(result, text.size());
    // An empty match right behind the last one is passed over, as the library does.
    if (any && match.begin == match.end && match.end == matches.back().end) {
      from += length_of_char(text, from);
      continue;
    }
    any = true;
    matches.push_back(match);
    from = match.end;
  }
}

void Regex::fail(int error, std::size_t bytes) const {
  throw InputError(
      {.what = "a regular expression of the tokenizer takes too long on a text, or too much memory",
       .where = code_->where,
       .expected = "a pattern that cuts text into words",
       .found =
           code_->pattern + " (" + error_text(error) + ", " + std::to_string(bytes) + " bytes of text)"});
}

std::string_view regex_view(std::string_view text, std::string& storage) {
  bool replaced = false;
  for (std::size_t pos = 0; pos < text.size();) {
    if (static_cast<unsigned char>(text[pos]) < kFirstReplacedLead) {
      ++pos;  // a byte inside a character may be met here too: it is below the limit as well
      continue;
    }
    const Utf8Char c = decode_utf8(text, pos);
    const char32_t substitute = unicode::substitute(c.code_point);
    if (substitute != c.code_point) {
      if (!replaced) storage.assign(text);
      replaced = true;
      std::string encoded;
      append_utf8(encoded, substitute);
      storage.replace(pos, c.length, encoded);
    }
    pos += c.length == 0 ? 1 : c.length;
  }
  return replaced ? std::string_view(storage) : text;
}

}  // namespace saescope
