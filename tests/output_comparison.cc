#include "output_comparison.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "base/atomic_file.h"
#include "base/csv.h"

namespace saescope::testing_support {
namespace {

constexpr double kTolerance = 1e-4;

std::optional<double> as_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

void expect_same_field(const std::string& actual, const std::string& expected, const std::string& place) {
  if (actual == expected) return;
  const auto a = as_number(actual);
  const auto e = as_number(expected);
  ASSERT_TRUE(a && e && expected.find('.') != std::string::npos)
      << place << ": " << actual << ", expected " << expected;
  EXPECT_NEAR(*a, *e, kTolerance * std::max(1e-3, std::fabs(*e))) << place;
}

}  // namespace

void expect_same_csv(const std::filesystem::path& actual_path, const std::filesystem::path& expected_path) {
  const auto actual = parse_csv(read_file(actual_path), actual_path.string());
  const auto expected = parse_csv(read_file(expected_path), expected_path.string());
  ASSERT_EQ(actual.size(), expected.size()) << actual_path;
  for (std::size_t r = 0; r < expected.size(); ++r) {
    ASSERT_EQ(actual[r].fields.size(), expected[r].fields.size()) << actual_path << " record " << r;
    for (std::size_t c = 0; c < expected[r].fields.size(); ++c) {
      expect_same_field(
          actual[r].fields[c], expected[r].fields[c],
          actual_path.filename().string() + " record " + std::to_string(r) + ", " + expected[0].fields[c]);
    }
  }
}

void expect_same_records(const std::filesystem::path& actual_path,
                         const std::filesystem::path& expected_path) {
  std::istringstream actual(read_file(actual_path));
  std::istringstream expected(read_file(expected_path));
  std::string a_line;
  std::string e_line;
  for (int number = 1; std::getline(expected, e_line); ++number) {
    ASSERT_TRUE(std::getline(actual, a_line)) << "no line " << number;
    const auto a = nlohmann::ordered_json::parse(a_line);
    const auto e = nlohmann::ordered_json::parse(e_line);
    ASSERT_EQ(a.size(), e.size());
    for (auto ai = a.begin(), ei = e.begin(); ei != e.end(); ++ai, ++ei) {
      ASSERT_EQ(ai.key(), ei.key()) << "line " << number;
      if (ei->is_number_float()) {
        EXPECT_NEAR(ai->get<double>(), ei->get<double>(), kTolerance * ei->get<double>())
            << "line " << number;
      } else {
        EXPECT_EQ(*ai, *ei) << "line " << number << ", " << ei.key();
      }
    }
  }
  EXPECT_FALSE(std::getline(actual, a_line)) << "more lines than expected: " << a_line;
}

}  // namespace saescope::testing_support
