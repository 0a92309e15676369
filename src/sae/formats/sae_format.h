#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ops/encode/encoder_parameters.h"
#include "tensor/mapped_file.h"

namespace saescope {

/// What an SAE's files say that it was trained on.
struct SaeOrigin {
  std::string model;             ///< a hub id or a path; empty: not said
  std::optional<int64_t> layer;  ///< of the residual stream behind this block
  std::string place;             ///< where they say so, for messages
};

/// An SAE whose files are mapped: nothing of its matrix is read yet.
struct OpenedSae {
  std::vector<std::shared_ptr<const MappedFile>> files;  ///< the one with the encoder's weight first
  EncoderParameters encoder;                             ///< its weight points into the files
  SaeOrigin origin = {};
};

/// One way in which SAEs lie on disk.
struct SaeFormat {
  std::string_view name;
  std::span<const char* const> files;  ///< what is needed of the SAE's folder, in the order of downloads
  std::string_view in_words;           ///< the same for messages, such as "ae.pt and config.json"
  /// Whether a folder holds an SAE of this format. Never throws.
  bool (*recognise)(const SaeFormat& format, const std::filesystem::path& folder);
  /// @throws InputError where a file lacks something
  OpenedSae (*open)(const std::filesystem::path& folder);
};

/// All formats; the first is what a repository that nobody looked into is taken for.
std::span<const SaeFormat* const> sae_formats();

/// The format of the SAE that lies in a folder, or null.
const SaeFormat* find_sae_format(const std::filesystem::path& folder);

/// The usual `recognise`: every file is there. False where the folder may not be looked into.
bool holds_all_files(const SaeFormat& format, const std::filesystem::path& folder);

}  // namespace saescope
