#include "output/page/page_data.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <bit>

#include "output/page/page_template.h"

namespace saescope {
namespace {

constexpr std::string_view kMarker = "<!--DATA-->";

std::string base64(std::span<const std::byte> bytes) {
  // EVP_EncodeBlock counts in int: pieces of a multiple of 3 bytes join without padding between them.
  constexpr std::size_t kPiece = std::size_t{3} << 20;
  std::string text;
  for (std::size_t done = 0; done < bytes.size(); done += kPiece) {
    const auto piece = bytes.subspan(done, std::min(kPiece, bytes.size() - done));
    const std::size_t at = text.size();
    text.resize(at + (piece.size() + 2) / 3 * 4 + 1);  // and a NUL
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data() + at),
                    reinterpret_cast<const unsigned char*>(piece.data()), static_cast<int>(piece.size()));
    text.pop_back();
  }
  return text;
}

}  // namespace

static_assert(std::endian::native == std::endian::little, "blocks are little-endian");

PageData::Json PageData::add(std::span<const uint32_t> values) {
  return add_block(std::as_bytes(values), "u32", values.size());
}
PageData::Json PageData::add(std::span<const float> values) {
  return add_block(std::as_bytes(values), "f32", values.size());
}
PageData::Json PageData::add(std::span<const double> values) {
  return add_block(std::as_bytes(values), "f64", values.size());
}

PageData::Json PageData::add_block(std::span<const std::byte> bytes, std::string_view type,
                                   std::size_t length) {
  blocks_.push_back(base64(bytes));
  return {{"block", fmt::format("b{}", blocks_.size() - 1)}, {"type", type}, {"length", length}};
}

void PageData::write(const Json& run, const std::function<void(std::string_view)>& out) const {
  const std::size_t marker = kReportPage.find(kMarker);
  out(kReportPage.substr(0, marker));
  out(fmt::format("<script type=\"application/json\" id=\"run\">{}</script>\n", script_json(run)));
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    out(fmt::format("<script type=\"text/plain\" id=\"b{}\">", i));
    out(blocks_[i]);
    out("</script>\n");
  }
  out(kReportPage.substr(marker + kMarker.size()));
}

std::string script_json(const nlohmann::ordered_json& json) {
  const std::string text = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      escaped += "\\u003c";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace saescope
