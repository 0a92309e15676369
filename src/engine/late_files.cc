#include "engine/late_files.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "base/environment.h"
#include "base/error.h"

namespace saescope {
namespace {

constexpr const char* kVariable = "SAESCOPE_STORE_WAIT";
constexpr int kUsualWait = 60;  // what NFS keeps of a folder at most, with its usual acdirmax

std::chrono::seconds longest_wait() {
  const std::string text = environment_text(kVariable);
  if (text.empty()) return std::chrono::seconds(kUsualWait);
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) {
    throw InputError({.what = "the variable cannot be used",
                      .where = kVariable,
                      .expected = "seconds to wait for files of other machines, such as 60",
                      .found = text});
  }
  return std::chrono::seconds(seconds);
}

}  // namespace

bool wait_for_files(const std::function<std::string()>& what, const std::function<bool()>& are_there,
                    const Context& context) {
  constexpr auto kPoll = std::chrono::seconds(1);
  if (are_there()) return true;
  const auto wait = longest_wait();
  const auto end = std::chrono::steady_clock::now() + wait;
  if (wait.count() > 0) {
    context.progress->info(fmt::format("waiting up to {} s for {}: files of other machines may be seen late",
                                       wait.count(), what()));
  }
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kPoll);
    context.cancel->check();
    if (are_there()) return true;
  }
  return false;
}

}  // namespace saescope
