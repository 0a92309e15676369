#include "tensor/lost_pages.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>

namespace saescope {
namespace {

/// A signal handler may neither lock nor allocate: it walks this list, whose entries are never freed but used
/// again.
struct Mapping {
  std::atomic<uintptr_t> first = 0;
  std::atomic<uintptr_t> end = 0;  ///< 0: not in use
  std::atomic<const std::string*> path = nullptr;
  Mapping* next = nullptr;
};

std::atomic<Mapping*> mappings = nullptr;
std::mutex changing;

void print(const char* text) {
  const ssize_t written = ::write(STDERR_FILENO, text, std::strlen(text));
  static_cast<void>(written);  // nobody is left to tell
}

extern "C" void on_lost_page(int signal, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (const Mapping* mapping = mappings.load(); mapping != nullptr; mapping = mapping->next) {
    const std::string* path = mapping->path.load();
    if (path == nullptr || address < mapping->first.load() || address >= mapping->end.load()) continue;
    print("error: ");
    print(path->c_str());
    print(
        ": a part of the file cannot be read any more\n"
        "  expected: a file that stays as it is until the run has ended\n"
        "  found:    it became shorter meanwhile, or its disk failed\n"
        "  hint:     restore the file and run again\n");
    ::_exit(1);
  }
  std::signal(signal, SIG_DFL);  // the instruction is tried again and ends the process
}

}  // namespace

void report_lost_pages() {
  struct sigaction action = {};
  action.sa_sigaction = on_lost_page;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, nullptr);
}

void remember_mapping(std::span<const std::byte> bytes, std::string path) {
  const std::lock_guard lock(changing);
  Mapping* mapping = mappings.load();
  while (mapping != nullptr && mapping->path.load() != nullptr) mapping = mapping->next;
  if (mapping == nullptr) {
    mapping = new Mapping;
    mapping->next = mappings.load();
    mappings.store(mapping);
  }
  mapping->first = reinterpret_cast<uintptr_t>(bytes.data());
  mapping->end = mapping->first + bytes.size();
  mapping->path = new std::string(std::move(path));
}

void forget_mapping(std::span<const std::byte> bytes) {
  const std::lock_guard lock(changing);
  for (Mapping* mapping = mappings.load(); mapping != nullptr; mapping = mapping->next) {
    if (mapping->path.load() == nullptr || mapping->first.load() != reinterpret_cast<uintptr_t>(bytes.data()))
      continue;
    delete mapping->path.exchange(nullptr);
    return;
  }
}

}  // namespace saescope
