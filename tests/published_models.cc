#include "published_models.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <stdexcept>

#include "golden_files.h"

namespace saescope::testing_support {
namespace {

using nlohmann::ordered_json;

std::filesystem::path folder() { return goldens() / "hub"; }

/// Repository id → `tokenizer_files`, `fixed_date` and `shards`.
ordered_json checkpoints() { return ordered_json::parse(read_file(folder() / "checkpoints.json")); }

uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

uint64_t splitmix64(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// Appends a tensor's BF16 values: `filled` of tools/oracle/make_hub_goldens.py.
/// @param exponent values lie in (-2^e, 2^e); null for a norm, whose lie in [1, 2)
void append_filled(std::string& bytes, const std::string& name, std::size_t count,
                   const ordered_json& exponent) {
  const uint64_t seed = fnv1a(name);
  const float scale = exponent.is_null() ? 0 : std::ldexp(1.0F, exponent.get<int>() - 8);
  for (std::size_t i = 1; i <= count; ++i) {
    const auto byte = static_cast<int>(splitmix64(seed + i * 0x9E3779B97F4A7C15u) >> 56);
    const float value = exponent.is_null() ? 1.0F + static_cast<float>(byte / 2) / 128.0F
                                           : static_cast<float>(2 * byte - 255) * scale;
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    bytes.push_back(static_cast<char>(bits >> 16 & 0xFF));
    bytes.push_back(static_cast<char>(bits >> 24));
  }
}

/// A safetensors file. @param tensors list of [name, shape, exponent]
std::string shard_bytes(const ordered_json& tensors) {
  ordered_json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string body;
  for (const auto& tensor : tensors) {
    const std::size_t begin = body.size();
    std::size_t count = 1;
    for (const auto& size : tensor[1]) count *= size.get<std::size_t>();
    append_filled(body, tensor[0], count, tensor[2]);
    header[tensor[0].get<std::string>()] = {
        {"dtype", "BF16"}, {"shape", tensor[1]}, {"data_offsets", {begin, body.size()}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string length;
  for (int shift = 0; shift < 64; shift += 8)
    length.push_back(static_cast<char>(text.size() >> shift & 0xFF));
  return length + text + body;
}

void serve_weights(TestHub& hub, const std::string& repo, const ordered_json& shards) {
  ordered_json index = {{"metadata", {{"total_size", 0}}}, {"weight_map", ordered_json::object()}};
  std::size_t total = 0;
  for (const auto& [file, shard] : shards.items()) {
    std::string bytes = shard_bytes(shard["tensors"]);
    total += bytes.size();
    for (const auto& tensor : shard["tensors"]) index["weight_map"][tensor[0].get<std::string>()] = file;
    const std::string sha256 = hub.add_file(repo, file, std::move(bytes), true);
    if (sha256 != shard["sha256"].get<std::string>()) {
      throw std::runtime_error(
          fmt::format("{}/{}: generated {}, the oracle's is {}", repo, file, sha256, shard["sha256"].dump()));
    }
  }
  index["metadata"]["total_size"] = total;
  hub.add_file(repo, "model.safetensors.index.json", index.dump(2));
}

/// The text with `from`, which must be there, replaced by `to`.
std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error(fmt::format("no {} in the chat template", from));
  return text.replace(at, from.size(), to);
}

void serve_tokenizer(TestHub& hub, const std::string& repo, const ordered_json& checkpoint) {
  for (const auto& [file, source] : checkpoint["tokenizer_files"].items()) {
    std::string text = read_file(real_tokenizers() / source.get<std::string>());
    // Llama 3.2's template asks for today's date where Llama 3.1's always writes 26 Jul 2024.
    if (file == "tokenizer_config.json" && checkpoint["fixed_date"].get<bool>()) {
      text = replaced(std::move(text), "strftime_now is defined", "false");
    }
    hub.add_file(repo, file, std::move(text));
  }
}

void serve_committed_files(TestHub& hub) {
  for (const char* owner : {"meta-llama", "Qwen", "andyrdt"}) {
    for (const auto& repo : std::filesystem::directory_iterator(folder() / owner)) {
      for (const auto& file : std::filesystem::recursive_directory_iterator(repo.path())) {
        if (!file.is_regular_file()) continue;
        hub.add_file(repo.path().lexically_relative(folder()).generic_string(),
                     file.path().lexically_relative(repo.path()).generic_string(), read_file(file.path()),
                     file.path().extension() == ".pt");
      }
    }
  }
}

}  // namespace

std::optional<std::filesystem::path> missing_tokenizer_file() {
  for (const auto& checkpoint : checkpoints()) {
    for (const auto& source : checkpoint["tokenizer_files"]) {
      const std::filesystem::path path = real_tokenizers() / source.get<std::string>();
      if (!std::filesystem::exists(path)) return path;
    }
  }
  return std::nullopt;
}

void serve_published_models(TestHub& hub) {
  serve_committed_files(hub);
  const ordered_json all = checkpoints();
  for (const auto& [repo, checkpoint] : all.items()) {
    serve_tokenizer(hub, repo, checkpoint);
    serve_weights(hub, repo, checkpoint["shards"]);
  }
}

}  // namespace saescope::testing_support
