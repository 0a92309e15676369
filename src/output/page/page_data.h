#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace saescope {

/// The data of a report page (src/output/page/data.js reads it): one JSON object, and numbers in arrays of
/// their own, which the page decodes when it needs them.
class PageData {
 public:
  using Json = nlohmann::ordered_json;

  /// Sets an array aside. @return the reference that stands for it in the JSON
  Json add(std::span<const uint32_t> values);
  Json add(std::span<const float> values);
  Json add(std::span<const double> values);

  /// Writes the whole page. @param run the JSON object
  void write(const Json& run, const std::function<void(std::string_view)>& out) const;

 private:
  Json add_block(std::span<const std::byte> bytes, std::string_view type, std::size_t length);

  std::vector<std::string> blocks_;  ///< base64 of little-endian numbers
};

/// JSON that may stand in a <script> element: nothing in it can end the element. Text that is not UTF-8 gets
/// U+FFFD.
std::string script_json(const nlohmann::ordered_json& json);

}  // namespace saescope
