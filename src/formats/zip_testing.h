#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format_testing.h"

namespace saescope::testing {

/// What a test changes of an entry of a StoredZip.
struct ZipEntryOptions {
  uint16_t flags = 0;
  uint16_t method = 0;
  std::string local_name = {};  ///< empty: the same as in the directory
};

/// Writes a zip archive of stored entries, each aligned to 64 bytes as torch does.
class StoredZip {
 public:
  void add(std::string_view name, std::string_view contents, const ZipEntryOptions& options = {}) {
    const auto header_offset = static_cast<uint32_t>(bytes_.size());
    const std::string local_name = options.local_name.empty() ? std::string(name) : options.local_name;
    const std::size_t unpadded = bytes_.size() + 30 + local_name.size();
    const std::string padding((64 - unpadded % 64) % 64, '\0');
    const std::string sizes = raw(uint32_t{0}) + raw(static_cast<uint32_t>(contents.size())) +
                              raw(static_cast<uint32_t>(contents.size()));
    const std::string kind = raw(options.flags) + raw(options.method) + raw(uint32_t{0});
    bytes_ += raw(uint32_t{0x04034B50}) + raw(uint16_t{20}) + kind + sizes +
              raw(static_cast<uint16_t>(local_name.size())) + raw(static_cast<uint16_t>(padding.size())) +
              local_name + padding + std::string(contents);
    directory_ += raw(uint32_t{0x02014B50}) + raw(uint32_t{20}) + kind + sizes +
                  raw(static_cast<uint16_t>(name.size())) + std::string(12, '\0') + raw(header_offset) +
                  std::string(name);
    ++entries_;
  }

  std::string finish(std::string_view comment = {}) const {
    return bytes_ + directory_ + raw(uint32_t{0x06054B50}) + raw(uint32_t{0}) + raw(entries_) +
           raw(entries_) + raw(static_cast<uint32_t>(directory_.size())) +
           raw(static_cast<uint32_t>(bytes_.size())) + raw(static_cast<uint16_t>(comment.size())) +
           std::string(comment);
  }

 private:
  std::string bytes_;
  std::string directory_;
  uint16_t entries_ = 0;
};

}  // namespace saescope::testing
