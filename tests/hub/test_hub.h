#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/socket_server.h"

namespace saescope {

/// The content of a served file: in memory, or on disk and read piece by piece.
class HubBlob {
 public:
  static std::shared_ptr<const HubBlob> of_bytes(std::string bytes);
  static std::shared_ptr<const HubBlob> of_file(std::filesystem::path path);

  uint64_t size() const { return size_; }
  /// Precondition: the range lies in the blob.
  std::string read(uint64_t offset, std::size_t length) const;

 private:
  std::string bytes_;
  std::filesystem::path path_;  ///< empty: in memory
  uint64_t size_ = 0;
};

/// What the hub is about to answer; a test's hook may change any of it.
struct HubReply {
  int status = 200;
  /// Without Content-Length, which follows `length`.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::shared_ptr<const HubBlob> body = nullptr;
  uint64_t offset = 0;                       ///< first byte of the body that is sent
  uint64_t length = 0;                       ///< bytes that are sent
  bool without_length = false;               ///< no Content-Length: the body ends with the connection
  std::optional<uint64_t> drop_after = {};   ///< ends the connection after so many bytes of the body
  std::optional<uint64_t> stall_after = {};  ///< sends nothing more after so many bytes, but stays connected
  uint64_t bytes_per_second = 0;             ///< 0: as fast as it goes

  /// Replaces a header or adds it.
  void set_header(const std::string& name, const std::string& value);
};

/// A Hugging Face hub on 127.0.0.1 that serves what tests give it, keeps a log of what it was asked, and
/// misbehaves where a hook says so. Every file added makes a new commit; older commits stay available.
/// Thread-safe.
class TestHub {
 public:
  enum class Scheme { kHttp, kHttps };
  using Hook = std::function<void(const HubRequest&, HubReply&)>;

  /// Listens at once, on a free port.
  explicit TestHub(Scheme scheme = Scheme::kHttp);
  ~TestHub();

  /// `http://127.0.0.1:PORT` or `https://127.0.0.1:PORT`, for HF_ENDPOINT.
  std::string endpoint() const;
  /// The same server under its other name, `localhost`: another host to a client.
  std::string other_name() const;
  /// The certificate to trust (PEM), for SSL_CERT_FILE; HTTPS only.
  std::filesystem::path ca_file() const;

  /// Adds or replaces a file. @return its etag, the SHA-256 of an LFS file, else the git blob's SHA-1
  std::string add_file(const std::string& repo, const std::string& file, std::string bytes, bool lfs = false);
  std::string add_file_on_disk(const std::string& repo, const std::string& file,
                               const std::filesystem::path& path, bool lfs = true);
  /// The commit `main` names.
  std::string commit(const std::string& repo) const;
  /// From now on the repository answers to this token alone, as a gated one.
  void gate(const std::string& repo, const std::string& token);
  /// The repository moved: its old name redirects, with a relative address.
  void rename(const std::string& from, const std::string& to);
  /// LFS files are redirected to `{base}/cdn/{etag}` of another server, which is given the blobs.
  void store_lfs_at(TestHub& storage, const std::string& base);

  /// Called for every request with the answer about to be sent. It must not call the hub.
  void set_hook(Hook hook);
  std::vector<HubRequest> requests() const;
  /// How many requests of a method ("GET", "HEAD") came.
  std::size_t count(const std::string& method) const;
  void forget_requests();

 private:
  struct File {
    std::shared_ptr<const HubBlob> blob;
    std::string etag;
    bool lfs = false;
  };
  using Tree = std::map<std::string, File>;
  struct Repo {
    std::vector<std::string> commits;     ///< oldest first
    std::map<std::string, Tree> history;  ///< by commit
    std::optional<std::string> token;     ///< gated where it has a value
  };

  std::string add(const std::string& repo, const std::string& file, std::shared_ptr<const HubBlob> blob,
                  bool lfs);
  void serve(const HubRequest& request, ServerConnection& connection);
  HubReply answer(const HubRequest& request) const;
  HubReply answer_file(const HubRequest& request, const std::string& repo_name, const Repo& repo,
                       const std::string& revision, const std::string& file) const;
  void send_body(const HubReply& reply, ServerConnection& connection) const;

  Scheme scheme_;
  std::filesystem::path folder_;
  mutable std::mutex mutex_;
  std::map<std::string, Repo> repos_;
  std::map<std::string, std::string> renamed_;
  std::map<std::string, std::shared_ptr<const HubBlob>> stored_;  ///< by etag: what `/cdn/` serves
  TestHub* storage_ = nullptr;
  std::string storage_base_;
  Hook hook_;
  std::vector<HubRequest> requests_;
  std::unique_ptr<SocketServer> server_;
};

}  // namespace saescope
