#include "downloader/fetch.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/fd.h"
#include "base/text.h"
#include "downloader/url.h"
#include "http/client.h"

namespace beaconry {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestRefusal = 64 << 10;
constexpr std::size_t kLongestTag = 256;

class Sha256 {
 public:
  Sha256() { crypto_hash_sha256_init(&state_); }
  void add(std::string_view bytes) {
    crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()),
                              bytes.size());
  }
  std::string hex() {
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&state_, hash);
    std::string text(2 * sizeof hash + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), hash, sizeof hash);
    text.pop_back();
    return text;
  }

 private:
  crypto_hash_sha256_state state_;
};

// One file on its way to disk.
class Arrival {
 public:
  Arrival(std::string path, std::uint64_t most) : path_(std::move(path)), most_(most) {}
  ~Arrival() {
    if (file_) ::unlink((path_ + ".part").c_str());
  }
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;

  Result<void> open() {
    file_ = Fd(::open((path_ + ".part").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file_) return fail_errno("make", path_);
    return {};
  }
  // False: why() says why it is over.
  bool take(std::string_view bytes) {
    if (bytes.size() > most_ - bytes_) {
      why_ = "it is longer than " + bytes_in_words(static_cast<double>(most_));
      return false;
    }
    hash_.add(bytes);
    bytes_ += bytes.size();
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(file_.get(), bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) {
        why_ = fail_errno("write", path_).value().message();
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
  }
  Result<void> keep() {
    if (::fdatasync(file_.get()) != 0 || ::rename((path_ + ".part").c_str(), path_.c_str()) != 0)
      return fail_errno("write", path_);
    file_.reset();
    return {};
  }

  const std::string& path() const { return path_; }
  std::uint64_t bytes() const { return bytes_; }
  std::string sha256() { return hash_.hex(); }
  const std::string& why() const { return why_; }

 private:
  std::string path_;
  std::uint64_t most_, bytes_ = 0;
  Fd file_;
  Sha256 hash_;
  std::string why_;
};

struct Got {
  int status = 0;
  std::string etag;
  FetchUrl from;  // after redirections
};

class Fetcher {
 public:
  Fetcher(const FetchSettings& settings, const std::function<bool()>& is_cancelled)
      : settings_(settings), is_cancelled_(is_cancelled), until_(Clock::now() + settings.longest) {}

  // Follows redirections; what a 200 brings goes into `arrival`.
  Result<Got> get(FetchUrl url, const std::string& etag, Arrival& arrival) {
    for (unsigned hops = 0;; ++hops) {
      auto answer = ask(url, etag, arrival);
      if (!answer) return tl::unexpected<Error>(answer.error());
      const int status = answer->status;
      if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
        return Got{status, terminal_safe(answer->header("etag").substr(0, kLongestTag)), url};
      if (hops == settings_.redirections)
        return no(url, "more than " + std::to_string(settings_.redirections) + " redirections");
      const auto next = follow_location(url, answer->header("location"));
      if (!next) return no(url, "it redirects to what is no http:// or https:// address");
      if (url.tls && !next->tls)
        return no(url, "it redirects from https to " + next->without_query() +
                           ", which nothing protects");
      url = *next;
    }
  }

 private:
  static tl::unexpected<Error> no(const FetchUrl& url, std::string cause) {
    return fail(ErrorKind::io, "fetch", url.without_query(), std::move(cause));
  }

  Result<HttpResponse> ask(const FetchUrl& url, const std::string& etag, Arrival& arrival) {
    HttpClient::Options options;
    options.url = url.server;
    options.ca_pem = url.tls ? settings_.ca_pem : "";
    options.connect_timeout = settings_.connect_timeout;
    options.timeout = settings_.answer_timeout;
    options.most_body = kLongestRefusal;
    options.is_cancelled = is_cancelled_;
    auto client = HttpClient::make(options);
    if (!client) return tl::unexpected<Error>(client.error());
    HttpRequest request;
    request.target = url.target;
    if (!etag.empty()) request.headers.emplace_back("If-None-Match", etag);
    // As it is: what is signed is the file, and nothing here unpacks.
    request.headers.emplace_back("Accept-Encoding", "identity");
    auto moved = Clock::now();
    std::string over;
    auto answer = (*client)->stream(request, [&](std::string_view bytes) {
      const auto now = Clock::now();
      if (!bytes.empty()) moved = now;
      if (is_cancelled_())
        over = "the wait was ended";
      else if (now - moved > settings_.stall)
        over = "no byte came for " + std::to_string(settings_.stall.count()) + " s";
      else if (now > until_)
        over = "it takes longer than " + std::to_string(settings_.longest.count()) + " s";
      else if (!arrival.take(bytes))
        over = arrival.why();
      return over.empty();
    });
    if (!answer) return answer;
    if (!over.empty()) return no(url, over);
    const auto length = parse_unsigned(answer->header("content-length"));
    if (answer->status == 200 && length && *length != arrival.bytes()) {
      return no(url, "the connection ended after " + with_thousands(arrival.bytes()) + " of " +
                         with_thousands(*length) + " bytes");
    }
    return answer;
  }

  const FetchSettings& settings_;
  const std::function<bool()>& is_cancelled_;
  Clock::time_point until_;
};

}  // namespace

FetchResult fetch(const FetchOrder& order, const FetchSettings& settings,
                  const std::function<bool()>& is_cancelled) {
  FetchResult result;
  result.uuid = order.uuid;
  result.state = "failed";
  const auto failed = [&](std::string reason) {
    result.reason = std::move(reason);
    return result;
  };
  const auto url = parse_fetch_url(order.url);
  if (!url)
    return failed("'" + terminal_safe(order.url.substr(0, 200)) +
                  "' is no http:// or https:// address");
  if (!is_uuid(order.uuid)) return failed("the order's uuid is none");
  Arrival file(settings.folder + '/' + order.uuid, order.most_bytes);
  if (auto opened = file.open(); !opened) return failed(opened.error().message());
  Fetcher fetcher(settings, is_cancelled);
  const auto got = fetcher.get(*url, order.etag, file);
  if (!got) return failed(got.error().message());
  if (got->status == 304 && !order.etag.empty()) {
    result.state = "unchanged";
    result.etag = order.etag;
    return result;
  }
  if (got->status != 200)
    return failed(got->from.without_query() + " answers with status " +
                  std::to_string(got->status));
  result.sha256 = file.sha256();
  if (!order.sha256.empty() && ascii_lower(order.sha256) != result.sha256) {
    return failed(got->from.without_query() + " has the SHA-256 " + result.sha256 + ", and " +
                  ascii_lower(order.sha256) + " is wanted");
  }
  // Beside the file that was asked for: where that was redirected to is its host's affair.
  FetchUrl beside = *url;
  const std::size_t query = std::min(beside.target.find('?'), beside.target.size());
  beside.target.insert(query, ".minisig");
  Arrival signature(file.path() + ".minisig", settings.longest_signature);
  if (auto opened = signature.open(); !opened) return failed(opened.error().message());
  const auto signed_by = fetcher.get(beside, "", signature);
  if (!signed_by) return failed(signed_by.error().message());
  if (signed_by->status == 200) {
    if (auto kept = signature.keep(); !kept) return failed(kept.error().message());
    result.signature_path = signature.path();
  } else if (signed_by->status != 404 && signed_by->status != 410) {
    return failed(beside.without_query() + " answers with status " +
                  std::to_string(signed_by->status));
  }
  if (auto kept = file.keep(); !kept) {
    ::unlink(signature.path().c_str());
    return failed(kept.error().message());
  }
  result.state = "fetched";
  result.etag = got->etag;
  result.bytes = file.bytes();
  result.path = file.path();
  return result;
}

}  // namespace beaconry
