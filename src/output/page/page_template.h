#pragma once

#include <string_view>

namespace saescope {

/// The report page without data: HTML with style sheet, scripts and the plotting library, and one
/// `<!--DATA-->` in front of the scripts. Assembled from src/output/page at build time
/// (cmake/report_page.cmake).
extern const std::string_view kReportPage;

}  // namespace saescope
