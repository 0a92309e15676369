#include "hostile/torch_bytes.h"

#include "formats/zip_testing.h"
#include "hostile/changes.h"

namespace saescope::hostile {

using testing::raw;
using testing::StoredZip;

namespace pickle {

std::string text(const std::string& value) { return "X" + raw(static_cast<uint32_t>(value.size())) + value; }

std::string integer(int64_t value) { return "\x8A\x08" + raw(value); }

std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

std::string tuple(const std::vector<int64_t>& values) {
  std::string program = "(";
  for (const int64_t value : values) program += integer(value);
  return program + "t";
}

std::string tensor(const Tensor& tensor) {
  const std::string storage = "(" + text("storage") + global("torch", tensor.storage_class) +
                              text(tensor.storage) + text("cpu") + integer(tensor.storage_elements) + "tQ";
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage + integer(tensor.offset) +
         tuple(tensor.shape) + tuple(tensor.strides) + "\x89" + global("collections", "OrderedDict") + ")RtR";
}

std::string dict(const std::map<std::string, std::string>& items) {
  std::string program = "\x80\x02}(";
  for (const auto& [key, value] : items) program += text(key) + value;
  return program + "u.";
}

}  // namespace pickle

std::string torch_archive(const std::string& program) {
  constexpr std::size_t kStorageBytes = 32768;
  StoredZip zip;
  zip.add("ae/data.pkl", program);
  zip.add("ae/byteorder", "little");
  zip.add("ae/data/0", std::string(kStorageBytes, '\0'));
  return zip.finish();
}

Change torch_file(std::string program) {
  return [program = std::move(program)](const std::filesystem::path& file) {
    contents(torch_archive(program))(file);
  };
}

Change sae_with(const std::string& key, const std::string& value) {
  std::map<std::string, std::string> items = {
      {"b_dec", pickle::tensor({{32}, {1}})},
      {"encoder.bias", pickle::tensor({{256}, {1}})},
      {"encoder.weight", pickle::tensor({{256, 32}, {32, 1}})},
      {"k", pickle::integer(16)},
      {"threshold", pickle::tensor({{}, {}})},
  };
  if (value.empty()) {
    items.erase(key);
  } else {
    items[key] = value;
  }
  return torch_file(pickle::dict(items));
}

}  // namespace saescope::hostile
