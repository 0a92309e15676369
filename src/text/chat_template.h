#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace saescope {

/// A model's own Jinja chat template, interpreted as transformers' `apply_chat_template` does: the immutable
/// sandbox with `trim_blocks` and `lstrip_blocks`, the loop controls and generation extensions, and
/// `raise_exception`, `strftime_now`, `tojson`. Immutable and safe to share between threads.
///
/// What Jinja or Python would refuse is refused; so is the little that is not implemented (integers beyond 64
/// bits, filters for HTML pages, printing functions and generators). Nothing is guessed.
class ChatTemplate {
 public:
  /// Parses the whole template, branches that are never taken included.
  /// @param source the template, UTF-8
  /// @param where the file or metadata key, for messages
  /// @throws InputError naming the construct and the line that cannot be understood. As in Jinja, an
  ///         unknown filter or test inside of an `if` is an error only where it is reached.
  ChatTemplate(const std::string& source, const std::string& where);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  /// Renders with the variables of `context` (an object, key order preserved: `messages`,
  /// `add_generation_prompt`, `bos_token`, `eos_token`, …). Variables that are not there are
  /// undefined; transformers always passes `tools` and `documents`, as null where there are none, and
  /// leaves out the special tokens that a tokenizer does not have.
  ///
  /// A variable overrides the global function of its name. A *string* under the name `strftime_now`
  /// becomes the result of calling `strftime_now(…)`, whatever the format, which fixes the date;
  /// otherwise that is the current local time.
  /// @throws InputError where the template raises, where Python would raise (an attribute of an
  ///         undefined value, operands of wrong types), or where a limit is passed: 10 million steps,
  ///         64 MiB of one text, 16 MiB of output, 1000 nested evaluations, 100 nested containers.
  std::string render(const nlohmann::ordered_json& context) const;
  /// As render, with another limit on the steps.
  std::string render(const nlohmann::ordered_json& context, uint64_t max_steps) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace saescope
