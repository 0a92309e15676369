#include "formats/byte_reader.h"

#include <fmt/format.h>

#include "base/error.h"

namespace saescope {

void ByteReader::fail_short(uint64_t length, std::string_view what) const {
  throw InputError({.what = fmt::format("the data ends inside the {}", what),
                    .where = where_,
                    .expected = fmt::format("{} bytes at byte {}", length, position_),
                    .found = fmt::format("{} bytes", remaining()),
                    .hint = "the file is damaged or was not downloaded completely; get it again"});
}

}  // namespace saescope
