#include "engine/encoded_part.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/atomic_file.h"
#include "base/error.h"
#include "engine/checked_tensors.h"
#include "engine/table_tensors.h"
#include "formats/json_document.h"
#include "hub/digest.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

// Of the time, at most one part in so many goes into saving.
constexpr int kTimeForOthers = 50;

constexpr const char* kState = "state-";
constexpr const char* kStateText = "state";  // of the metadata, which the tensors' checksum leaves out
constexpr const char* kStateDigest = "sha256 of state";
constexpr std::string_view kNorms = "norms/";  // and the layer

std::string_view as_text(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::string digest_of_file(const fs::path& path) {
  const MappedFile file(path);
  return sha256_of({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
}

std::vector<fs::path> states_in(const fs::path& folder) {
  std::vector<fs::path> states;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with(kState)) states.push_back(entry.path());
  }
  std::sort(states.rbegin(), states.rend());  // numbers have one width: the newest comes first
  return states;
}

}  // namespace

/// What a file of a state says besides the accumulators.
struct EncodedPart::State {
  std::shared_ptr<const MappedFile> file;
  std::size_t done = 0;
  std::vector<fs::path> rows;
  std::vector<std::string> digests;
};

EncodedPart::EncodedPart(fs::path folder, std::string numerics, Progress& progress)
    : folder_(std::move(folder)), numerics_(std::move(numerics)), progress_(progress) {
  refresh();
}

/// @return nothing where it or a file of rows is damaged or not there
std::optional<EncodedPart::State> EncodedPart::read_state(const fs::path& path) {
  try {
    State state;
    state.file = std::make_shared<const MappedFile>(path);
    const SafetensorsFile parsed = parse_safetensors(state.file->bytes(), path.string());
    if (!has_its_checksums(parsed))
      throw InputError({.what = "its checksum does not match", .where = path.string()});
    const std::string& text = parsed.metadata.at(kStateText);
    if (sha256_of(text) != parsed.metadata.at(kStateDigest))
      throw InputError({.what = "its checksum does not match", .where = path.string()});
    const nlohmann::json json = parse_json(text, path.string());
    if (json.at("numerics") != numerics_) {
      throw InputError({.what = "its activations are of another kind of processor", .where = path.string()});
    }
    state.done = json.at("done").get<std::size_t>();
    for (const auto& [name, digest] : json.at("rows").items()) {
      state.rows.push_back(folder_ / name);
      state.digests.push_back(digest.get<std::string>());
      if (digest_of_file(state.rows.back()) != state.digests.back()) {
        throw InputError({.what = "its checksum does not match", .where = state.rows.back().string()});
      }
    }
    return state;
  } catch (const std::exception& failure) {
    std::error_code error;  // a process that does the same task may have removed it for a newer one
    if (fs::exists(path, error))
      progress_.warn(fmt::format("a file of the job does not count: {}", failure.what()));
    return std::nullopt;
  }
}

void EncodedPart::refresh() {
  constexpr int kLooks = 10;
  std::error_code error;
  bool vanished = true;
  for (int look = 0; look < kLooks && vanished; ++look) {
    vanished = false;
    for (const fs::path& path : states_in(folder_)) {
      const auto state = read_state(path);
      if (!state) {
        vanished = vanished || !fs::exists(path, error);
        continue;
      }
      done_ = state->done;
      state_ = path;
      loaded_ = state->file;
      rows_ = state->rows;
      rows_digests_ = state->digests;
      return;
    }
  }
}

void EncodedPart::load(FeatureTables& tables, NormWatch& norms) const {
  const SafetensorsFile parsed = parse_safetensors(loaded_->bytes(), state_.string());
  tables.for_each([&](FeatureTable& table) { TableTensors::load(table, parsed.tensors, state_.string()); });
  for (const auto& [name, view] : parsed.tensors) {
    if (!name.starts_with(kNorms)) continue;
    const auto* first = reinterpret_cast<const float*>(view.data);
    norms.norms()[std::stoul(name.substr(kNorms.size()))].assign(first, first + element_count(view.shape));
  }
}

bool EncodedPart::is_due() const { return Clock::now() - saved_ >= saving_took_ * kTimeForOthers; }

void EncodedPart::save(std::size_t done, Results& results, NormWatch& norms) {
  const auto begin = Clock::now();
  if (!results.chosen.empty()) save_rows(done, results.chosen);
  TableTensors tables;
  results.tables.for_each([&](FeatureTable& table) { tables.add(table); });
  CheckedTensors file = {tables.tensors(), {}};
  for (const auto& [layer, values] : norms.norms()) {
    file.tensors.push_back(
        {fmt::format("{}{}", kNorms, layer), dense_tensor(DType::kF32, values.data(), {values.size()})});
  }
  nlohmann::ordered_json rows = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < rows_.size(); ++i) rows[rows_[i].filename().string()] = rows_digests_[i];
  const nlohmann::ordered_json state = {{"done", done}, {"numerics", numerics_}, {"rows", rows}};
  file.metadata[kStateText] = state.dump();
  file.metadata[kStateDigest] = sha256_of(file.metadata[kStateText]);
  const fs::path path = folder_ / fmt::format("{}{:012}.safetensors", kState, done);
  file.add_checksums();
  file.write(path);
  loaded_.reset();
  std::error_code ignored;
  if (state_ != path) fs::remove(state_, ignored);
  state_ = path;
  done_ = done;
  saved_ = Clock::now();
  saving_took_ = saved_ - begin;
}

/// Files of rows grow with the number of prompts: they are written from where the activations are set aside.
void EncodedPart::save_rows(std::size_t to, std::deque<ChosenActivations>& chosen) {
  std::vector<TensorToWrite> tensors;
  for (ChosenActivations& one : chosen) {
    tensors.push_back(
        {one.name(), TensorView::dense(DType::kF32, {one.prompts(), one.features().size()}, nullptr)});
    if (one.token_values() == nullptr) continue;
    tensors.push_back(
        {one.name() + "/tokens", TensorView::dense(DType::kF32, {one.token_values()->size()}, nullptr)});
  }
  const fs::path path = folder_ / fmt::format("rows-{:012}-{:012}.safetensors", done_, to);
  AtomicFile file(path);
  Digest digest = Digest::sha256();
  const auto write = [&](std::string_view bytes) {
    file.write(bytes);
    digest.update(bytes);
  };
  write(safetensors_header(tensors, {}));
  for (ChosenActivations& one : chosen) {
    one.values().for_each_block([&](std::span<const float> values) { write(as_text(values)); });
    if (one.token_values() == nullptr) continue;
    one.token_values()->for_each_block([&](std::span<const float> values) { write(as_text(values)); });
  }
  file.commit();
  for (ChosenActivations& one : chosen) one.clear();
  rows_.push_back(path);
  rows_digests_.push_back(digest.finish());
}

}  // namespace saescope
