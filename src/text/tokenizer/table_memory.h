#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <vector>

namespace saescope {

/// Memory of tables that are read here and there: large ones ask for huge pages, since with ordinary ones
/// nearly every access would wait for an address to be translated as well.
template <typename T>
class TableAllocator {
 public:
  using value_type = T;

  TableAllocator() = default;
  template <typename Other>
  explicit TableAllocator(const TableAllocator<Other>&) {}

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    void* memory = ::operator new(bytes, alignment(bytes));
#ifdef MADV_HUGEPAGE
    if (bytes >= kHugePage) static_cast<void>(madvise(memory, bytes, MADV_HUGEPAGE));  // a wish
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) { ::operator delete(memory, alignment(count * sizeof(T))); }

  bool operator==(const TableAllocator&) const { return true; }

 private:
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;
  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t(bytes >= kHugePage ? kHugePage : alignof(T));
  }
};

template <typename T>
using TableVector = std::vector<T, TableAllocator<T>>;

}  // namespace saescope
