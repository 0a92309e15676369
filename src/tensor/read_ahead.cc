#include "tensor/read_ahead.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <system_error>

#include "base/error.h"

namespace saescope {
namespace {

constexpr std::size_t kPiece = std::size_t{8} << 20;    // mapped at a time
constexpr std::size_t kQueued = std::size_t{32} << 20;  // requested from the disk beyond that
constexpr std::size_t kAhead = std::size_t{1} << 30;    // a step may begin this far behind the step at work
constexpr std::size_t kReleaseFrom = std::size_t{1} << 30;  // walks of less keep their pages

/// madvise over the whole pages that `bytes` touches. All uses are hints: where the system refuses one, the
/// run is slower, not wrong.
bool advise(std::span<const std::byte> bytes, int advice) {
  if (bytes.empty()) return true;
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t before = reinterpret_cast<uintptr_t>(bytes.data()) % page;
  return ::madvise(const_cast<std::byte*>(bytes.data() - before), bytes.size() + before, advice) == 0;
}

std::size_t size_of(const ReadAhead::Step& step) {
  std::size_t bytes = 0;
  for (const auto& part : step) bytes += part.size();
  return bytes;
}

}  // namespace

void bring_in(std::span<const std::byte> bytes) {
#ifdef MADV_POPULATE_READ
  if (advise(bytes, MADV_POPULATE_READ)) return;
#endif
  advise(bytes, MADV_WILLNEED);
}

void release_pages(std::span<const std::byte> bytes) { advise(bytes, MADV_DONTNEED); }

SinglePages::SinglePages(std::span<const std::byte> bytes) : bytes_(bytes) { advise(bytes_, MADV_RANDOM); }
SinglePages::~SinglePages() { advise(bytes_, MADV_NORMAL); }

ReadAhead::ReadAhead() {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& failure) {
    throw RunError({.what = "cannot start a thread",
                    .found = failure.code().message(),
                    .hint = "raise the limits on memory or on processes (ulimit -v, ulimit -u)"});
  }
}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReadAhead::start(std::vector<Step> steps) {
  const std::lock_guard lock(mutex_);
  std::size_t total = 0;
  for (const Step& step : steps) total += size_of(step);
  releases_ = total >= kReleaseFrom;
  steps_ = std::move(steps);
  reached_ = 0;
  go_to(0);
  changed_.notify_all();
}

void ReadAhead::reach(std::size_t step) {
  std::vector<Step> passed;
  {
    const std::lock_guard lock(mutex_);
    for (; reached_ < step; ++reached_) {
      if (releases_) passed.push_back(steps_[reached_]);
    }
    if (reading_.step < step) go_to(step);
  }
  changed_.notify_all();
  for (const Step& old : passed) {
    for (const auto& part : old) advise(part, MADV_DONTNEED);
  }
}

/// Bytes between the step at work and the step where the reading is.
std::size_t ReadAhead::distance() const {
  std::size_t bytes = 0;
  for (std::size_t i = reached_ + 1; i < reading_.step; ++i) bytes += size_of(steps_[i]);
  return bytes;
}

void ReadAhead::go_to(std::size_t step) {
  reading_ = requested_ = {step, 0, 0};
  queued_ = 0;
}

/// What lies at a place of its step, which moves behind it; empty at the step's end.
std::span<const std::byte> ReadAhead::next_piece(Place& place) const {
  const Step& parts = steps_[place.step];
  if (place.part == parts.size()) return {};
  const std::span<const std::byte> rest = parts[place.part].subspan(place.offset);
  const std::span<const std::byte> piece = rest.first(std::min(kPiece, rest.size()));
  place.offset += piece.size();
  if (piece.size() == rest.size()) {
    ++place.part;
    place.offset = 0;
  }
  return piece;
}

/// The next piece to read, and what is to be requested of the step beyond it. Called under the lock.
bool ReadAhead::take_piece(std::span<const std::byte>& piece, Step& soon) {
  while (reading_.step < steps_.size() && distance() <= kAhead) {
    while (queued_ < kQueued) {
      const auto request = next_piece(requested_);
      if (request.empty()) break;
      soon.push_back(request);
      queued_ += request.size();
    }
    piece = next_piece(reading_);
    queued_ -= piece.size();
    if (!piece.empty()) return true;
    go_to(reading_.step + 1);
  }
  return false;
}

void ReadAhead::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    std::span<const std::byte> piece;
    Step soon;
    if (!take_piece(piece, soon)) {
      changed_.wait(lock);
      continue;
    }
    lock.unlock();
    for (const auto& request : soon) advise(request, MADV_WILLNEED);
    bring_in(piece);
    lock.lock();
  }
}

}  // namespace saescope
