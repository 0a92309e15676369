#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "assets/file_need.h"
#include "hub/hub.h"
#include "text/tokenizer_config.h"

namespace saescope {

/// The files of a model in Hugging Face layout: in a folder, or in a repository of the hub whose files are
/// downloaded when they are needed.
class RepositoryFiles {
 public:
  explicit RepositoryFiles(std::filesystem::path folder);
  /// @param hub must outlive this
  RepositoryFiles(Hub& hub, std::string repo);

  /// What messages call it.
  const std::string& where() const { return where_; }

  /// @throws InputError where there is no such file; RunError where the network fails for good
  std::filesystem::path require(const std::string& file) const;
  /// The same for one that the model can do without.
  std::optional<std::filesystem::path> find(const std::string& file) const;
  /// The text of one that the model can do without.
  std::optional<TokenizerSideFiles::File> text(const std::string& file) const;
  /// Whether there is such a file; nothing is downloaded.
  bool has(const std::string& file) const;
  /// Of a file that `has` or `find` called absent: whether that is known, or nobody could be asked.
  /// @throws InputError, RunError in the latter case: the run is offline, or the hub does not answer
  void require_answer(const std::string& file) const;
  /// Where a file lies. Never a request.
  FileNeed need(const std::string& file) const;

  /// What lies in the folder, for messages; empty where the files are the hub's.
  std::string listing() const;

  /// The repository's id where the files are the hub's or of its cache, else empty.
  std::string repo() const;

  /// The commit that is read; empty where none is known.
  std::string commit() const;

 private:
  std::filesystem::path folder_;  ///< empty: the hub's
  Hub* hub_ = nullptr;
  std::string repo_;
  std::string where_;
};

}  // namespace saescope
