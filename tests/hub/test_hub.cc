#include "hub/test_hub.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "hub/digest.h"
#include "hub/http_headers.h"

namespace saescope {
namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024;  // bytes sent at once

std::string etag_of(const HubBlob& blob, bool lfs) {
  Digest digest = lfs ? Digest::sha256() : Digest::git_blob(blob.size());
  for (uint64_t offset = 0; offset < blob.size(); offset += kBlock) {
    digest.update(blob.read(offset, std::min<uint64_t>(kBlock, blob.size() - offset)));
  }
  return digest.finish();
}

std::string commit_id(const std::string& repo, std::size_t number) {
  Digest digest = Digest::git_blob(number);
  digest.update(repo);
  return digest.finish();
}

std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// The path of a request's target, which a client of a proxy sends as a whole URL.
std::string path_of(const std::string& target) {
  const std::size_t scheme = target.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : target.find('/', scheme + 3);
  return unescape(target.substr(begin, target.find('?') - begin));
}

HubReply error_reply(int status, const std::string& code, const std::string& message) {
  HubReply reply{.status = status, .body = HubBlob::of_bytes(message)};
  if (!code.empty()) reply.headers = {{"X-Error-Code", code}, {"X-Error-Message", message}};
  reply.length = message.size();
  return reply;
}

/// Puts the whole blob or the range the request asks for into the reply.
void set_content(HubReply& reply, const HubRequest& request, std::shared_ptr<const HubBlob> blob) {
  constexpr std::string_view kPrefix = "bytes=";
  const uint64_t size = blob->size();
  reply.body = std::move(blob);
  reply.length = size;
  reply.set_header("Accept-Ranges", "bytes");
  const std::string range = request.header("range");
  if (range.empty()) return;
  const auto first = parse_decimal(range.substr(kPrefix.size(), range.find('-') - kPrefix.size()));
  if (!first || *first >= size) {
    reply.status = 416;
    reply.length = 0;
    reply.set_header("Content-Range", fmt::format("bytes */{}", size));
    return;
  }
  reply.status = 206;
  reply.offset = *first;
  reply.length = size - *first;
  reply.set_header("Content-Range", fmt::format("bytes {}-{}/{}", *first, size - 1, size));
}

}  // namespace

std::shared_ptr<const HubBlob> HubBlob::of_bytes(std::string bytes) {
  auto blob = std::make_shared<HubBlob>();
  blob->size_ = bytes.size();
  blob->bytes_ = std::move(bytes);
  return blob;
}

std::shared_ptr<const HubBlob> HubBlob::of_file(std::filesystem::path path) {
  auto blob = std::make_shared<HubBlob>();
  blob->size_ = std::filesystem::file_size(path);
  blob->path_ = std::move(path);
  return blob;
}

std::string HubBlob::read(uint64_t offset, std::size_t length) const {
  if (path_.empty()) return bytes_.substr(offset, length);
  std::string bytes(length, '\0');
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(bytes.data(), static_cast<std::streamsize>(length));
  return bytes;
}

void HubReply::set_header(const std::string& name, const std::string& value) {
  for (auto& header : headers) {
    if (header.first == name) {
      header.second = value;
      return;
    }
  }
  headers.emplace_back(name, value);
}

TestHub::TestHub(Scheme scheme) : scheme_(scheme) {
  std::string pattern = (std::filesystem::temp_directory_path() / "saescope-hub-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  folder_ = pattern;
  SslContext tls = scheme == Scheme::kHttps ? make_server_context(ca_file()) : nullptr;
  server_ = std::make_unique<SocketServer>(
      std::move(tls),
      [this](const HubRequest& request, ServerConnection& connection) { serve(request, connection); });
}

TestHub::~TestHub() {
  server_->stop();  // while its threads may still look at this object
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TestHub::endpoint() const {
  return fmt::format("{}://127.0.0.1:{}", scheme_ == Scheme::kHttps ? "https" : "http", server_->port());
}

std::string TestHub::other_name() const {
  return fmt::format("{}://localhost:{}", scheme_ == Scheme::kHttps ? "https" : "http", server_->port());
}

std::filesystem::path TestHub::ca_file() const { return folder_ / "ca.pem"; }

std::string TestHub::add_file(const std::string& repo, const std::string& file, std::string bytes, bool lfs) {
  return add(repo, file, HubBlob::of_bytes(std::move(bytes)), lfs);
}

std::string TestHub::add_file_on_disk(const std::string& repo, const std::string& file,
                                      const std::filesystem::path& path, bool lfs) {
  return add(repo, file, HubBlob::of_file(path), lfs);
}

std::string TestHub::add(const std::string& repo, const std::string& file,
                         std::shared_ptr<const HubBlob> blob, bool lfs) {
  const std::string etag = etag_of(*blob, lfs);
  const std::lock_guard lock(mutex_);
  Repo& entry = repos_[repo];
  Tree tree = entry.commits.empty() ? Tree() : entry.history[entry.commits.back()];
  if (lfs && storage_ != nullptr) {
    const std::lock_guard storage_lock(storage_->mutex_);
    storage_->stored_[etag] = blob;
  }
  tree[file] = {.blob = std::move(blob), .etag = etag, .lfs = lfs};
  entry.commits.push_back(commit_id(repo, entry.commits.size()));
  entry.history[entry.commits.back()] = std::move(tree);
  return etag;
}

std::string TestHub::commit(const std::string& repo) const {
  const std::lock_guard lock(mutex_);
  return repos_.at(repo).commits.back();
}

void TestHub::gate(const std::string& repo, const std::string& token) {
  const std::lock_guard lock(mutex_);
  repos_[repo].token = token;
}

void TestHub::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  repos_[to] = std::move(repos_[from]);
  repos_.erase(from);
  renamed_[from] = to;
}

void TestHub::store_lfs_at(TestHub& storage, const std::string& base) {
  const std::lock_guard lock(mutex_);
  storage_ = &storage;
  storage_base_ = base;
}

void TestHub::set_hook(Hook hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

std::vector<HubRequest> TestHub::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t TestHub::count(const std::string& method) const {
  const std::vector<HubRequest> all = requests();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const HubRequest& r) { return r.method == method; }));
}

void TestHub::forget_requests() {
  const std::lock_guard lock(mutex_);
  requests_.clear();
}

HubReply TestHub::answer_file(const HubRequest& request, const std::string& repo_name, const Repo& repo,
                              const std::string& revision, const std::string& file) const {
  const std::string authorization = request.header("authorization");
  if (repo.token && authorization != "Bearer " + *repo.token) {
    return error_reply(authorization.empty() ? 401 : 403, "GatedRepo",
                       fmt::format("Access to model {} is restricted.", repo_name));
  }
  const std::string commit = revision == "main" ? repo.commits.back() : revision;
  const auto tree = repo.history.find(commit);
  if (tree == repo.history.end()) return error_reply(404, "RevisionNotFound", "Invalid rev id");
  const auto found = tree->second.find(file);
  if (found == tree->second.end()) {
    HubReply reply = error_reply(404, "EntryNotFound", "Entry not found");
    reply.set_header("X-Repo-Commit", commit);
    return reply;
  }
  const File& entry = found->second;
  HubReply reply;
  reply.set_header("X-Repo-Commit", commit);
  reply.set_header("ETag", fmt::format("\"{}\"", entry.etag));
  if (entry.lfs) {
    reply.set_header("X-Linked-Etag", fmt::format("\"{}\"", entry.etag));
    reply.set_header("X-Linked-Size", fmt::format("{}", entry.blob->size()));
  }
  if (entry.lfs && storage_ != nullptr) {
    reply.status = 302;
    reply.set_header("Location", fmt::format("{}/cdn/{}?signature=secret", storage_base_, entry.etag));
    return reply;
  }
  set_content(reply, request, entry.blob);
  return reply;
}

HubReply TestHub::answer(const HubRequest& request) const {
  const std::string path = path_of(request.target);
  constexpr std::string_view kStored = "/cdn/";
  if (path.starts_with(kStored)) {
    const auto found = stored_.find(path.substr(kStored.size()));
    if (found == stored_.end()) return error_reply(403, "", "AccessDenied");
    HubReply reply;
    reply.set_header("ETag", "\"storage-has-other-etags\"");
    set_content(reply, request, found->second);
    return reply;
  }
  constexpr std::string_view kResolve = "/resolve/";
  const std::size_t middle = path.find(kResolve);
  if (middle == std::string::npos) return error_reply(404, "", "Not found");
  const std::string name = path.substr(1, middle - 1);
  const std::string rest = path.substr(middle + kResolve.size());
  if (const auto moved = renamed_.find(name); moved != renamed_.end()) {
    HubReply reply{.status = 307};
    reply.set_header("Location", fmt::format("/{}{}{}", moved->second, kResolve, rest));
    return reply;
  }
  const auto repo = repos_.find(name);
  const std::size_t slash = rest.find('/');
  if (repo == repos_.end() || slash == std::string::npos) {
    return error_reply(request.header("authorization").empty() ? 401 : 404, "RepoNotFound",
                       "Repository not found");
  }
  return answer_file(request, name, repo->second, rest.substr(0, slash), rest.substr(slash + 1));
}

void TestHub::serve(const HubRequest& request, ServerConnection& connection) {
  HubReply reply;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    reply = answer(request);
    if (hook_) hook_(request, reply);
  }
  std::string head = fmt::format("HTTP/1.1 {} Test\r\nConnection: close\r\n", reply.status);
  if (!reply.without_length) {
    head += fmt::format("Content-Length: {}\r\n", reply.length);
  }
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  if (!connection.send(head + "\r\n")) return;
  if (request.method == "GET" && reply.body != nullptr) send_body(reply, connection);
}

void TestHub::send_body(const HubReply& reply, ServerConnection& connection) const {
  using std::chrono::milliseconds;
  constexpr milliseconds kStep{10};
  const uint64_t stop = std::min(
      {reply.length, reply.drop_after.value_or(reply.length), reply.stall_after.value_or(reply.length)});
  const uint64_t block =
      reply.bytes_per_second == 0 ? kBlock : std::max<uint64_t>(reply.bytes_per_second / 100, 1);
  for (uint64_t sent = 0; sent < stop && !server_->stopping();) {
    const uint64_t count = std::min(block, stop - sent);
    if (!connection.send(reply.body->read(reply.offset + sent, count))) return;
    sent += count;
    if (reply.bytes_per_second != 0) std::this_thread::sleep_for(kStep);
  }
  while (reply.stall_after && !server_->stopping()) std::this_thread::sleep_for(kStep);
}

}  // namespace saescope
