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

// What a thread needs to match, made once per thread.
class Matcher {
 public:
  Matcher()
      : data_(pcre2_match_data_create(1, nullptr)),
        context_(pcre2_match_context_create(nullptr)),
        stack_(pcre2_jit_stack_create(kJitStackStart, kJitStackLimit, nullptr)) {
    if (!data_ || !context_) throw RunError({.what = "out of memory for a regular expression"});
    pcre2_set_match_limit(context_.get(), std::numeric_limits<uint32_t>::max());
    pcre2_set_depth_limit(context_.get(), std::numeric_limits<uint32_t>::max());
    pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
  }

  // Finds the first match at or after `from`. @return whether there is one
  bool find(const pcre2_code* code, std::string_view text, std::size_t from, TextRange& match) {
    int result = run(code, text, from, PCRE2_NO_UTF_CHECK);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
      result = run(code, text, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT);  // on the heap instead
    }
    if (result == PCRE2_ERROR_NOMATCH) return false;
    if (result < 0) {
      throw RunError({.what = "a regular expression failed on a text", .found = error_text(result)});
    }
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(data_.get());
    match = {offsets[0], offsets[1]};
    return true;
  }

 private:
  int run(const pcre2_code* code, std::string_view text, std::size_t from, uint32_t options) {
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

CodePointer compile(const std::string& pattern, uint32_t options, const std::string& where) {
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
  // Where the machine has no JIT, matching is slower but the same.
  static_cast<void>(pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE));
  return code;
}

std::size_t length_of_char(std::string_view text, std::size_t pos) {
  const std::size_t length = decode_utf8(text, pos).length;
  return length == 0 ? 1 : length;
}

// The first code point that regex_view replaces is U+0295.
constexpr unsigned char kFirstReplacedLead = 0xCA;

}  // namespace

struct Regex::Code {
  CodePointer pointer;
};

Regex Regex::from_pattern(const std::string& pattern, const std::string& where) {
  refuse_other_dialects(pattern, where);
  // Ruby's ^ and $ always match at line ends.
  constexpr uint32_t kOptions = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE;
  return Regex(std::make_shared<const Code>(Code{compile(pattern, kOptions, where)}));
}

Regex Regex::from_literal(const std::string& text, const std::string& where) {
  refuse_replaced_characters(text, where);
  constexpr uint32_t kOptions = PCRE2_UTF | PCRE2_LITERAL;
  return Regex(std::make_shared<const Code>(Code{compile(text, kOptions, where)}));
}

void Regex::find_all(std::string_view text, std::vector<TextRange>& matches) const {
  Matcher& matcher = matcher_of_this_thread();
  TextRange match;
  bool any = false;
  std::size_t from = 0;
  while (from <= text.size() && matcher.find(code_->pointer.get(), text, from, match)) {
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
