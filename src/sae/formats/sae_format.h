#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ops/encode/encoder_parameters.h"
#include "tensor/buffer.h"
#include "tensor/mapped_file.h"

namespace saescope {

/// What an SAE's files say that it was trained on.
struct SaeOrigin {
  std::string model;             ///< a hub id or a path; empty: not said
  std::optional<int64_t> layer;  ///< of the residual stream behind this block
  std::string place;             ///< where they say so, for messages
  std::string other = {};        ///< what they read that is no residual stream; empty: none or not said
};

/// An SAE whose files are mapped: nothing of its matrix is read yet, unless it was compressed.
struct OpenedSae {
  std::vector<std::shared_ptr<const MappedFile>> files;  ///< the one with the encoder's weight first
  EncoderParameters encoder;  ///< its weight points into the files, or into `unpacked`
  SaeOrigin origin = {};
  std::string_view format = {};  ///< the format's name
  std::shared_ptr<const Buffer<std::byte>> unpacked = {};
  std::vector<std::string> notes = {};  ///< what a user should know about how it is read, in sentences
};

/// Which of two packages' readings of the same files counts, where they disagree.
enum class SaeReading { kAuthors, kSaeLens };

/// Where an SAE lies, and what its files do not say.
struct SaePlace {
  std::filesystem::path path;  ///< its folder; of a format of one file, the file
  std::string repository;      ///< on the hub; empty: not known
  SaeReading reading = SaeReading::kAuthors;
};

/// One way in which SAEs lie on disk.
struct SaeFormat {
  std::string_view name;
  /// What is needed of the SAE's folder, in the order of downloads; empty where the SAE is one file of any
  /// name.
  std::span<const char* const> files;
  std::span<const char* const> optional_files = {};  ///< what is read where it is there
  std::string_view in_words;  ///< the same for messages, such as "ae.pt and config.json"
  /// @throws InputError where a file lacks something
  OpenedSae (*open)(const SaePlace& place);
};

/// All formats; the first is what a repository that cannot be looked into is taken for.
std::span<const SaeFormat* const> sae_formats();

/// The format of the SAE that lies at a path, a folder or a file, or null. Never throws.
const SaeFormat* find_sae_format(const std::filesystem::path& path);

/// The format of SAEs that are one file of this name (a path), or null where the name is that of a folder.
const SaeFormat* single_file_format(std::string_view path);

/// The path of an SAE's folder where a path names one of a format's files in it; else the path itself.
std::string without_sae_file(std::string_view path);

/// "ae.pt and config.json; cfg.json and sae_weights.safetensors; …".
std::string sae_formats_in_words();

}  // namespace saescope
