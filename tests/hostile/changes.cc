#include "hostile/changes.h"

#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/atomic_file.h"

namespace saescope::hostile {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

void write(const fs::path& file, std::string_view bytes) { std::ofstream(file, std::ios::binary) << bytes; }

/// A change of the bytes as a whole.
template <typename Function>
Change edited(Function edit) {
  return [edit = std::move(edit)](const fs::path& file) { write(file, edit(slurp(file))); };
}

}  // namespace

std::string slurp(const fs::path& file) { return read_file(file); }

std::string times(std::string_view unit, std::size_t count) {
  std::string text;
  text.reserve(unit.size() * count);
  for (std::size_t i = 0; i < count; ++i) text += unit;
  return text;
}

Change contents(std::string bytes) {
  return [bytes = std::move(bytes)](const fs::path& file) { write(file, bytes); };
}

Change repeated(std::string head, std::string unit, uint64_t count, std::string tail) {
  return [=](const fs::path& file) {
    constexpr uint64_t kBlock = 4096;
    const std::string block = times(unit, kBlock);
    std::ofstream out(file, std::ios::binary);
    out << head;
    for (uint64_t left = count; left > 0;) {
      const uint64_t now = std::min(left, kBlock);
      out.write(block.data(), static_cast<std::streamsize>(now * unit.size()));
      left -= now;
    }
    out << tail;
  };
}

Change nested(std::string head, std::string open, uint64_t depth, std::string close, std::string tail) {
  return
      [=](const fs::path& file) { contents(head + times(open, depth) + times(close, depth) + tail)(file); };
}

Change bytes_at(int64_t offset, std::string bytes) {
  return [offset, bytes = std::move(bytes)](const fs::path& file) {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(offset, offset < 0 ? std::ios::end : std::ios::beg);
    out << bytes;
  };
}

Change replaced(std::string from, std::string to) {
  return edited([from = std::move(from), to = std::move(to)](std::string bytes) {
    std::size_t at = bytes.find(from);
    if (at == std::string::npos) throw std::logic_error("nothing to replace: " + from);
    for (; at != std::string::npos; at = bytes.find(from, at + to.size())) bytes.replace(at, from.size(), to);
    return bytes;
  });
}

Change cut_by(uint64_t size) {
  return [size](const fs::path& file) { fs::resize_file(file, fs::file_size(file) - size); };
}

Change followed_by(std::string bytes) {
  return [bytes = std::move(bytes)](const fs::path& file) {
    std::ofstream(file, std::ios::binary | std::ios::app) << bytes;
  };
}

Change resized(uint64_t size) {
  return [size](const fs::path& file) { fs::resize_file(file, size); };
}

Change sparse(std::string bytes, uint64_t size) { return both(contents(std::move(bytes)), resized(size)); }

Change removed() {
  return [](const fs::path& file) { fs::remove(file); };
}

Change as_folder() {
  return [](const fs::path& file) {
    fs::remove(file);
    fs::create_directory(file);
  };
}

Change as_pipe() {
  return [](const fs::path& file) {
    constexpr mode_t kOwnerOnly = 0600;
    fs::remove(file);
    if (::mkfifo(file.c_str(), kOwnerOnly) != 0) throw std::runtime_error("mkfifo");
  };
}

Change as_link_to(std::string target) {
  return [target = std::move(target)](const fs::path& file) {
    fs::remove(file);
    fs::create_symlink(target, file);
  };
}

Change json_with(std::string pointer, std::string value) {
  return edited([pointer = std::move(pointer), value = std::move(value)](const std::string& bytes) {
    Json json = Json::parse(bytes);
    json[Json::json_pointer(pointer)] = Json::parse(value);
    return json.dump();
  });
}

Change json_with_long_text(std::string pointer, std::size_t size) {
  return edited([=](const std::string& bytes) {
    Json json = Json::parse(bytes);
    json[Json::json_pointer(pointer)] = std::string(size, 'a');
    return json.dump();
  });
}

Change json_without(std::string pointer) {
  return edited([pointer = std::move(pointer)](const std::string& bytes) {
    Json json = Json::parse(bytes);
    const Json::json_pointer path(pointer);
    json.at(path.parent_pointer()).erase(path.back());
    return json.dump();
  });
}

Change both(Change first, Change second) {
  return [first = std::move(first), second = std::move(second)](const fs::path& file) {
    first(file);
    second(file);
  };
}

}  // namespace saescope::hostile
