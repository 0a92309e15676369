#include "engine/joined_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>

#include "base/error.h"
#include "engine/source_share.h"

namespace saescope {
namespace {

/// Reads the numbers of one tensor that goes through all files of a part.
class TensorReader {
 public:
  TensorReader(const std::vector<std::filesystem::path>& files, std::string name)
      : files_(files), name_(std::move(name)) {}

  /// Fills `values` with the next ones. @throws RunError where there are no more
  void read(std::span<float> values) {
    while (!values.empty()) {
      if (left_ == 0) open_next();
      const auto count = static_cast<std::size_t>(std::min<uint64_t>(left_, values.size()));
      std::memcpy(values.data(), next_, count * sizeof(float));
      values = values.subspan(count);
      next_ += count * sizeof(float);
      left_ -= count;
    }
  }

 private:
  void open_next() {
    while (left_ == 0) {
      if (file_ == files_.size()) {
        throw RunError({.what = "a part of the job has too few rows",
                        .where = files_.empty() ? name_ : files_.back().string(),
                        .expected = "a row for each prompt in " + name_,
                        .hint = "remove the part's folder and run its task again"});
      }
      mapped_ = MappedFile(files_[file_++]);
      const SafetensorsFile parsed = parse_safetensors(mapped_.bytes(), mapped_.path().string());
      const auto found = parsed.tensors.find(name_);
      if (found == parsed.tensors.end() || found->second.dtype != DType::kF32) continue;
      next_ = found->second.data;
      left_ = element_count(found->second.shape);
    }
  }

  const std::vector<std::filesystem::path>& files_;
  std::string name_;
  std::size_t file_ = 0;
  MappedFile mapped_;
  const std::byte* next_ = nullptr;
  uint64_t left_ = 0;
};

/// The features of one task, beside each other in every row.
struct Columns {
  IndexRange features;
  TensorReader values;
  TensorReader token_values;
};

const OpenedSource& source_of(const OpenedModel& model, const Source& source) {
  for (const auto& sources : model.layers) {
    const auto found = std::find_if(sources.begin(), sources.end(), [&](const OpenedSource& opened) {
      return opened.plan->source == source;
    });
    if (found != sources.end()) return *found;
  }
  throw std::logic_error("chosen features of a source that is not open");
}

}  // namespace

void join_chosen_activations(const OpenedModel& model, const std::vector<const EncodedPart*>& parts,
                             ChosenActivations& chosen, const CancelToken& cancel) {
  const OpenedSource& source = source_of(model, chosen.source());
  std::deque<Columns> columns;
  for (std::size_t task = 0; task < parts.size(); ++task) {
    const IndexRange features = share_of_source(source, {task, parts.size()}, chosen.features().size());
    const std::vector<std::filesystem::path>& files = parts[task]->rows();
    if (features.size() > 0) {
      columns.push_back({features, {files, chosen.name()}, {files, chosen.name() + "/tokens"}});
    }
  }
  std::vector<float> row(chosen.features().size());
  std::vector<float> tokens;
  for (TokenizedPrompts::Reader prompt(model.prepared.prompts); !prompt.done(); prompt.advance()) {
    cancel.check();
    for (Columns& some : columns) {
      some.values.read(std::span(row).subspan(some.features.begin, some.features.size()));
    }
    const std::size_t index = prompt.current().prompt_idx;
    chosen.add({&index, 1}, {row.data(), 1, row.size(), row.size()});
    if (!chosen.all_tokens()) continue;
    tokens.resize(prompt.current().ids.size());
    for (Columns& some : columns) {
      for (std::size_t i = some.features.begin; i < some.features.end; ++i) {
        if (!chosen.is_active(row[i])) continue;
        some.token_values.read(tokens);
        chosen.add_tokens(tokens);
      }
    }
  }
}

}  // namespace saescope
