#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace saescope {

/// Reads and maps pages of a mapped file (Linux 5.14; earlier kernels map them at the first use).
void bring_in(std::span<const std::byte> bytes);
/// Takes pages of a mapped file out of the process; they stay in the system's cache as long as it has room.
void release_pages(std::span<const std::byte> bytes);

/// Keeps the system from reading around single pages of a mapped file, while it lives.
class SinglePages {
 public:
  explicit SinglePages(std::span<const std::byte> bytes);
  ~SinglePages();
  SinglePages(const SinglePages&) = delete;
  SinglePages& operator=(const SinglePages&) = delete;

 private:
  std::span<const std::byte> bytes_;
};

/// Reads parts of mapped files ahead of their use, on a thread of its own: one after the other in the order
/// of use, so that a disk reads in sequence while the processor computes, and whoever uses a part finds its
/// pages in place.
class ReadAhead {
 public:
  /// Parts of mapped files that are used together, in the order in which they lie.
  using Step = std::vector<std::span<const std::byte>>;

  ReadAhead();
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// Takes the steps of a walk through the files, in order. What an earlier walk asked for and is not read
  /// yet is dropped. The mappings must outlive the walk.
  void start(std::vector<Step> steps);

  /// The walk is at `step`: it, the next step and those that begin within a gibibyte behind it are read.
  /// Pages of earlier steps are taken out of the process where the whole walk is large; they stay in the
  /// system's cache as long as it has room.
  void reach(std::size_t step);

 private:
  void run();
  /// Where in the steps something is: step, part of it, and byte of that.
  struct Place {
    std::size_t step = 0;
    std::size_t part = 0;
    std::size_t offset = 0;
  };
  void go_to(std::size_t step);
  std::size_t distance() const;
  std::span<const std::byte> next_piece(Place& place) const;
  bool take_piece(std::span<const std::byte>& piece, Step& soon);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  bool releases_ = false;
  std::vector<Step> steps_;
  std::size_t reached_ = 0;  ///< step at which the user is
  Place reading_;            ///< what is read next
  Place requested_;          ///< what is requested from the disk next: in the same step
  std::size_t queued_ = 0;   ///< bytes between the two
  std::thread thread_;       ///< last: it uses all of the above
};

}  // namespace saescope
