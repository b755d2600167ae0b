#include "sensor/fleet/image_fetcher.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "sensor/fleet/image_range.h"
#include "spool/disk.h"
#include "uplink/answer.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kLargest = std::uint64_t{1} << 30;  // as the image folder has it
constexpr std::uint64_t kLeftFree = std::uint64_t{64} << 20;
constexpr std::size_t kLongestSignature = 16 << 10, kFingerprintDigits = 64;
constexpr unsigned kPatience = 5;  // failures in a row of what may pass
constexpr std::chrono::seconds kLookEvery{5};
constexpr std::string_view kSignature = ".minisig";

std::string words(std::uint64_t bytes) {
  return bytes_in_words(static_cast<double>(bytes));
}

std::string name_of(const std::string& image) {
  return "image " + image.substr(0, 12) + "...";
}

std::uint64_t size_of(const std::string& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

ImageFetcher::ImageFetcher(Options options, Sensor& sensor)
    : options_(std::move(options)), sensor_(sensor) {}

void ImageFetcher::set_wished(std::map<std::string, bool> wished) {
  const std::lock_guard lock(mutex_);
  if (is_known_ && wished == wished_) return;
  is_known_ = true;
  wished_ = std::move(wished);
  std::erase_if(entries_, [this](const auto& entry) { return !wished_.contains(entry.first); });
  changed_ = true;
  wake_.notify_all();
}

void ImageFetcher::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

ImageFetches ImageFetcher::fetches() const {
  const std::lock_guard lock(mutex_);
  ImageFetches all;
  for (const auto& [image, entry] : entries_)
    all.emplace(image, entry.fetch);
  return all;
}

void ImageFetcher::work() {
  if (auto made = make_folder(options_.folder); !made) log_error(made.error().message());
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, pause(), [this] { return stopping_ || changed_; });
      if (stopping_) return;
      changed_ = false;
    }
    drop_unwished();
    while (const auto image = next())
      fetch(*image);
    sensor_.set_image_fetches(fetches());
  }
}

// Until the next try, or until somebody brings an image by hand is noticed. REQUIRES mutex_
Duration ImageFetcher::pause() const {
  const Timestamp now = options_.clock();
  Duration least = kLookEvery;
  for (const auto& [image, entry] : entries_)
    least = std::clamp(entry.again - now, Duration{0}, least);
  return least;
}

std::set<std::string> ImageFetcher::images_here() {
  std::set<std::string> here;
  for (const ImageInfo& image : sensor_.images())
    here.insert(image.fingerprint);
  return here;
}

// One that is due. Those that are here are done with, however they came.
std::optional<std::string> ImageFetcher::next() {
  const std::set<std::string> here = images_here();
  const Timestamp now = options_.clock();
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const auto& entry) { return here.contains(entry.first); });
  if (stopping_) return {};
  for (const auto& [image, may_be_unsigned] : wished_) {
    if (here.contains(image)) continue;
    const Entry& entry = entries_[image];
    // Also after the clock was set back.
    if (now >= entry.again || entry.again - now > options_.longest_wait) return image;
  }
  return {};
}

void ImageFetcher::say(const std::string& image, UpdateState state, const std::string& words) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(image);
    if (found == entries_.end()) return;  // not wished for any more
    ImageFetch& fetch = found->second.fetch;
    if (fetch.since == Timestamp{} || fetch.state != state) fetch.since = options_.clock();
    fetch.state = state;
    fetch.words = words;
  }
  sensor_.set_image_fetches(fetches());
}

bool ImageFetcher::has_failed(const std::string& image) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(image);
  return found != entries_.end() && found->second.fetch.state == UpdateState::failed;
}

void ImageFetcher::fetch(const std::string& image) {
  bool may_be_unsigned = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = wished_.find(image);
    if (found == wished_.end()) return;
    may_be_unsigned = found->second;
  }
  const Done fault = get(image, may_be_unsigned);
  UpdateState state = UpdateState::downloading;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(image);
    if (found == entries_.end()) return;
    if (!fault) {
      entries_.erase(found);
    } else {
      Entry& entry = found->second;
      entry.failures = std::min(entry.failures + 1, 30U);
      const bool failed = entry.fetch.state == UpdateState::failed;
      if (failed || fault->lasting || entry.failures >= kPatience) state = UpdateState::failed;
      const unsigned doublings = fault->lasting ? 6 + entry.failures : entry.failures - 1;
      const Duration most =
          std::min(options_.first_wait * (1 << std::min(doublings, 20U)), options_.longest_wait);
      // Half of it at least, so that many sensors neither hurry nor come at once.
      entry.again = options_.clock() +
                    std::chrono::duration_cast<Duration>(most * (0.5 + options_.random() / 2));
    }
    if (stopping_) return;
  }
  if (!fault) {
    log_info("The " + name_of(image) + " came from the server");
    sensor_.set_image_fetches(fetches());
    return;
  }
  const std::string text = name_of(image) + " cannot be fetched: " + fault->cause;
  log_warning("The " + text);
  say(image, state, text);
}

Result<HttpResponse> ImageFetcher::ask(const std::string& rest, HttpHeaders headers) {
  if (!client_) {
    HttpClient::Options options = *options_.server;
    options.most_body = 2 * options_.piece + kLongestSignature;
    options.is_cancelled = [this] {
      const std::lock_guard lock(mutex_);
      return stopping_;
    };
    auto made = HttpClient::make(options);
    if (!made) return tl::unexpected<Error>(std::move(made.error()));
    client_ = std::move(*made);
  }
  HttpRequest request;
  request.target = "/api/v1/fleet/self/images/" + rest;
  request.headers = std::move(headers);
  return client_->send(request);
}

ImageFetcher::Done ImageFetcher::get(const std::string& image, bool may_be_unsigned) {
  if (!options_.server) {
    return Fault{
        "no server was joined to get it from; bring it with its .minisig by 'beaconry sensor take'",
        true};
  }
  if (!has_failed(image))  // what failed is so until a piece comes
    say(image, UpdateState::downloading, name_of(image) + " is being fetched");
  const bool resumed = size_of(part(image)) != 0;
  Done fault = get_signature(image, may_be_unsigned);
  if (!fault) fault = get_pieces(image);
  return fault ? fault : take(image, may_be_unsigned, resumed);
}

ImageFetcher::Done ImageFetcher::get_signature(const std::string& image, bool may_be_unsigned) {
  const auto answer = ask(image + "/signature", {});
  if (!answer) return Fault{answer.error().message()};
  const std::string file = part(image) + std::string(kSignature);
  if (answer->status == 404 && may_be_unsigned) {
    ::unlink(file.c_str());
    return {};
  }
  if (answer->status == 404) {
    return Fault{
        "the server has no such image, or no signature of it; sign it ('beaconry instrument build "
        "--key') and put it there again",
        true};
  }
  if (answer->status != 200) return Fault{words_of_answer(*answer), answer->status == 403};
  if (answer->body.size() > kLongestSignature)
    return Fault{"the server's signature of it is none: it is too long", true};
  const auto made = open_file(file, O_WRONLY | O_CREAT | O_TRUNC);
  if (!made) return Fault{made.error().message()};
  const auto written = write_at(*made, file, 0, answer->body);
  return written ? Done() : Done(Fault{written.error().message()});
}

ImageFetcher::Done ImageFetcher::check_room(std::uint64_t total, std::uint64_t have) const {
  std::uint64_t free = 0;
  struct statvfs space {};
  if (options_.free_bytes) {
    free = options_.free_bytes();
  } else if (::statvfs(options_.folder.c_str(), &space) == 0) {
    free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
  } else {
    return {};  // writing tells
  }
  // What is still to come, and the copy that is taken of it once it was checked.
  const std::uint64_t need = total - std::min(have, total) + total + kLeftFree;
  if (need > free) {
    return Fault{"there is no room for it: " + words(total) + " are fetched and copied, " +
                     words(kLeftFree) + " stay free, and " + options_.folder + " has " +
                     words(free) + "; remove files or enlarge the disk",
                 true};
  }
  const PoolSpace pool = sensor_.report().pool;
  const std::uint64_t left = pool.total - std::min(pool.used, pool.total);
  if (pool.total != 0 && 2 * total > left) {
    return Fault{"the storage pool has no room for it and the copy that an update goes back to: " +
                     words(2 * total) + " or more are needed, and " + words(left) + " of " +
                     words(pool.total) + " are left; remove instruments or enlarge the pool",
                 true};
  }
  return {};
}

ImageFetcher::Done ImageFetcher::get_pieces(const std::string& image) {
  const std::string path = part(image);
  const auto file = open_file(path, O_WRONLY | O_CREAT);
  if (!file) return Fault{file.error().message()};
  std::uint64_t have = size_of(path), total = 0;
  while (total == 0 || have < total) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || !wished_.contains(image)) return Fault{"it is not wished for any more"};
    }
    const std::string range =
        "bytes=" + std::to_string(have) + '-' + std::to_string(have + options_.piece - 1);
    const auto answer = ask(image, {{"range", range}});
    if (!answer) return Fault{answer.error().message()};
    if (answer->status == 416 && have != 0) {
      // All of it is here already, or more than that.
      const auto told = answer->header("content-range");
      if (told == "bytes */" + std::to_string(have)) break;
      if (::ftruncate(file->get(), 0) != 0) return Fault{"write " + path};
      have = 0;
      continue;
    }
    if (answer->status != 206) {
      const bool lasting = answer->status == 403 || answer->status == 404;
      return Fault{answer->status == 200 ? "the server does not give it in pieces: is something "
                                           "between that changes requests?"
                                         : words_of_answer(*answer),
                   lasting || answer->status == 200};
    }
    const auto got = parse_content_range(answer->header("content-range"));
    if (!got || got->first != have || got->last - got->first + 1 != answer->body.size() ||
        (total != 0 && got->total != total) || got->total > kLargest) {
      return Fault{"the server's answer is not the piece that was asked for"};
    }
    if (total == 0) {
      if (Done full = check_room(got->total, have)) return full;
    }
    total = got->total;
    if (auto written = write_at(*file, path, have, answer->body); !written)
      return Fault{written.error().message()};
    have += answer->body.size();
    say(image, UpdateState::downloading,
        name_of(image) + " is being fetched, " + words(have) + " of " + words(total));
  }
  const auto synced = sync_file(*file, path);
  return synced ? Done() : Done(Fault{synced.error().message()});
}

ImageFetcher::Done ImageFetcher::take(const std::string& image, bool may_be_unsigned,
                                      bool resumed) {
  const std::string path = part(image);
  const auto drop = [&] { ::unlink(path.c_str()); };
  const auto read = options_.inspect(path, options_.keys_folder);
  if (!read && read.error().kind == ErrorKind::io) return Fault{read.error().message()};
  if (!read) {
    drop();
    return Fault{"what came is no image: " + read.error().cause, true};
  }
  if (read->fingerprint != image) {
    drop();
    return Fault{
        "what came is another file: its SHA-256 is " + read->fingerprint + "; it is fetched anew",
        !resumed};
  }
  if (read->signed_by.empty() && !may_be_unsigned) {
    return Fault{"it is not signed by a key of this machine (" +
                     (read->signature_fault.empty() ? "no signature" : read->signature_fault) +
                     "); sign it by one, or copy the key's .pub to " + options_.keys_folder,
                 true};
  }
  const auto taken = sensor_.add_image(path);
  if (!taken) return Fault{taken.error().message()};
  drop();
  ::unlink((path + std::string(kSignature)).c_str());
  return {};
}

// What was left of others, as after a wish that changed on the way, or of one that came by hand.
void ImageFetcher::drop_unwished() {
  const auto files = file_names(options_.folder);
  if (!files || files->empty()) return;
  const std::set<std::string> here = images_here();
  const std::lock_guard lock(mutex_);
  if (!is_known_) return;
  for (const std::string& file : *files) {
    const std::string image = file.substr(0, kFingerprintDigits);
    if (wished_.contains(image) && !here.contains(image)) continue;
    ::unlink((options_.folder + '/' + file).c_str());
  }
}

}  // namespace beaconry
