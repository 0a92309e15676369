#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hostile/case.h"

// How the tables' files are made. All of them need little memory, since a child's peak counts its parent's.

namespace saescope::hostile {

/// The file holds these bytes instead.
Change contents(std::string bytes);
/// `head`, `count` times `unit`, `tail`; written in blocks.
Change repeated(std::string head, std::string unit, uint64_t count, std::string tail = "");
/// `depth` opening brackets and as many closing ones.
Change nested(std::string head, std::string open, uint64_t depth, std::string close, std::string tail = "");
/// `bytes` written over the file from `offset` on; a negative offset counts from the end.
Change bytes_at(int64_t offset, std::string bytes);
/// Every `from` (there must be one) becomes `to`.
Change replaced(std::string from, std::string to);
Change cut_by(uint64_t size);
Change followed_by(std::string bytes);
/// These bytes and a hole of zeros behind them that takes no room on the disk.
Change sparse(std::string bytes, uint64_t size);
/// As long as given: cut, or a hole of zeros at the end.
Change resized(uint64_t size);
Change removed();
/// Something else than a file under its name.
Change as_folder();
Change as_pipe();
Change as_link_to(std::string target);

/// The JSON document with `value` (JSON text) at a JSON pointer.
Change json_with(std::string pointer, std::string value);
/// A text of `size` times the letter a there.
Change json_with_long_text(std::string pointer, std::size_t size);
Change json_without(std::string pointer);

/// Applies one after the other.
Change both(Change first, Change second);

/// `unit` `count` times, for short texts inside of other changes.
std::string times(std::string_view unit, std::size_t count);

inline constexpr uint64_t kGigabyte = uint64_t{1} << 30;

/// The whole file. Precondition: it is small.
std::string slurp(const std::filesystem::path& file);

}  // namespace saescope::hostile
