#include "tensor/aligned_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

namespace saescope {
namespace {

constexpr std::size_t kLargeArray = std::size_t{256} << 10;

}  // namespace

void* allocate_aligned(std::size_t bytes) {
  if (bytes > SIZE_MAX - kArrayAlignment) throw std::bad_alloc();
  if (bytes >= kLargeArray) {
    void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    return pages;
  }
  void* memory = std::aligned_alloc(kArrayAlignment, (bytes / kArrayAlignment + 1) * kArrayAlignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void free_aligned(void* memory, std::size_t bytes) noexcept {
  if (bytes >= kLargeArray) {
    ::munmap(memory, bytes);
  } else {
    std::free(memory);
  }
}

}  // namespace saescope
