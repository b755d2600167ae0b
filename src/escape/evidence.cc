#include "escape/evidence.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <limits>

#include "base/fd.h"
#include "base/text.h"
#include "escape/evidence_chain.h"
#include "escape/evidence_runs.h"
#include "escape/evidence_tally.h"

namespace beaconry {
namespace {

constexpr std::chrono::hours kSealEvery{1};
// Sequences that are said to be used before they are: a crash leaves at most so many unused.
constexpr std::uint64_t kReserved = 4096;
constexpr std::size_t kLongestWhy = 300;
constexpr std::size_t kMostWaiting = 256 * 1024;  // about ten hours of one packet a second
constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

std::uint64_t sequence_of(Timestamp now) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(now.time_since_epoch().count(), 1));
}

const char* word_of(CycleKind kind) {
  return kind == CycleKind::short_cycle ? "short" : "long";
}

// Without a file there is nothing to prove; sequences come from the time.
class MemoryEvidence : public ProbeEvidence {
 public:
  explicit MemoryEvidence(Timestamp now) : last_sequence_(sequence_of(now)) {}
  Result<void> tried(const Try&, Timestamp) override { return {}; }
  Result<void> answered(const Try&, Timestamp) override { return {}; }
  Result<void> skipped(MethodId, CycleKind, std::uint32_t, std::string_view, Timestamp) override {
    return {};
  }
  Result<void> heard(std::string_view, const Ping&, Timestamp) override { return {}; }
  Result<void> began(CycleKind, std::uint32_t, Timestamp) override { return {}; }
  Result<void> completed(CycleKind, std::uint32_t, Timestamp) override { return {}; }
  Result<void> seal(Timestamp) override { return {}; }
  std::uint64_t last_sequence() const override { return last_sequence_; }
  std::uint32_t last_cycle(CycleKind) const override { return 0; }

 private:
  std::uint64_t last_sequence_;
};

class FileEvidence : public ProbeEvidence {
 public:
  FileEvidence(Options options, const PartyKeys& keys)
      : options_(std::move(options)), keys_(keys) {}

  Result<void> start(Timestamp now);

  Result<void> tried(const Try& made, Timestamp now) override {
    // The second time out, home's answer in hand: answered() says so.
    if (made.leg == Leg::confirmed) return {};
    // A long cycle's methods come one after the other, and so do their lines: a restart's place
    // counts the last method's.
    if (made.cycle_kind == CycleKind::long_cycle && made.method->id != long_method_now_) {
      static_cast<void>(write_all(runs_.take_all()));  // what fails waits; the next write says so
      long_method_now_ = made.method->id;
    }
    runs_.add("tried", made, now);
    Result<void> reserved;
    if (made.sequence + kReserved / 2 > reserved_)
      reserved = reserve(made.sequence + kReserved, now);
    auto written = write_due(now);
    return reserved ? written : reserved;
  }
  Result<void> answered(const Try& made, Timestamp now) override {
    runs_.add("answered", made, now);
    return write_due(now);
  }
  Result<void> heard(std::string_view peer, const Ping& ping, Timestamp now) override {
    runs_.add_heard(peer, ping, now);
    return write_due(now);
  }
  Result<void> skipped(MethodId method, CycleKind kind, std::uint32_t cycle, std::string_view why,
                       Timestamp now) override {
    std::string text = std::string("skipped ") + word_of(kind) + ' ' + std::to_string(cycle) + ' ' +
                       std::string(to_string(method)) +
                       " why=" + terminal_safe(why.substr(0, kLongestWhy));
    return write_entry(text, now);
  }
  Result<void> began(CycleKind kind, std::uint32_t cycle, Timestamp now) override {
    (kind == CycleKind::short_cycle ? short_cycle_ : long_cycle_) = cycle;
    (kind == CycleKind::short_cycle ? short_lost_ : long_lost_) = false;
    auto done =
        write_entry(std::string("began ") + word_of(kind) + ' ' + std::to_string(cycle), now);
    // Signed, so that its number is not given a second time after a power loss.
    return done ? seal(now) : done;
  }
  Result<void> completed(CycleKind kind, std::uint32_t cycle, Timestamp now) override {
    // The last of its tries may find no room: they are handed over first.
    Result<void> done = write_all(runs_.take_all());
    if (!(kind == CycleKind::short_cycle ? short_lost_ : long_lost_)) {
      done =
          write_entry(std::string("completed ") + word_of(kind) + ' ' + std::to_string(cycle), now);
    }
    return done ? seal(now) : done;
  }
  Result<void> seal(Timestamp now) override;
  Result<void> end(Timestamp now) override {
    auto done = write_entry("ended", now);
    return done ? seal(now) : done;
  }

  std::uint64_t last_sequence() const override { return last_sequence_; }
  std::uint32_t last_cycle(CycleKind kind) const override {
    return kind == CycleKind::short_cycle ? short_cycle_ : long_cycle_;
  }
  Timestamp last_time() const override { return last_time_; }
  MethodId long_method() const override { return long_method_; }
  std::uint64_t long_done() const override { return long_done_; }

 private:
  struct Found {
    EvidenceVerifier verifier;
    std::uint64_t good_bytes = 0;
    std::uint64_t bad_bytes = 0;
  };

  Result<void> open_file();
  Result<Found> read_back();
  Result<void> put(std::string_view bytes);
  Result<void> sync();
  Result<void> write_text(const std::string& text);
  void keep(std::string text);
  Result<void> write_waiting();
  Result<void> write_all(const std::vector<std::string>& texts);
  Result<void> write_entry(const std::string& words, Timestamp now);
  Result<void> write_due(Timestamp now);
  Result<void> reserve(std::uint64_t until, Timestamp now);
  Result<void> compact(Timestamp now);
  Result<std::uint64_t> find_cut();

  Options options_;
  PartyKeys keys_;
  Fd file_;
  EvidenceChain chain_;
  EvidenceRuns runs_;
  std::uint64_t size_ = 0, size_at_seal_ = 0;
  Timestamp sealed_{}, last_time_{};
  std::uint64_t last_sequence_ = 0, reserved_ = 0;
  std::uint32_t short_cycle_ = 0, long_cycle_ = 0;
  // Texts that a full disk did not take yet, and what found no room among them.
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t lost_tries_ = 0;
  std::string lost_at_;                          // since when; empty: nothing was lost
  bool short_lost_ = false, long_lost_ = false;  // of the cycle under way
  MethodId long_method_ = MethodId::none, long_method_now_ = MethodId::none;
  std::uint64_t long_done_ = 0;
};

Result<void> FileEvidence::open_file() {
  file_ = Fd(::open(options_.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file_) return fail_errno("open", options_.path);
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorKind::usage, "open", options_.path,
                "another probe writes to it; give each a file of its own");
  }
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return fail_errno("look at", options_.path);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::usage, "open", options_.path, "it is no regular file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
  return {};
}

Result<FileEvidence::Found> FileEvidence::read_back() {
  Found found;
  std::optional<Error> fault;
  bool sealed_later = false;
  const auto torn = read_evidence_lines(
      file_.get(), options_.path, size_, [&](std::string_view line, std::uint64_t end) {
        if (fault) {
          sealed_later = sealed_later || line.find(" sealed sig=") != line.npos;
          return !sealed_later;
        }
        if (auto taken = found.verifier.take(line); !taken) {
          fault = taken.error();
          sealed_later = line.find(" sealed sig=") != line.npos;
          return !sealed_later;
        }
        found.good_bytes = end;
        return true;
      });
  if (!torn) return tl::unexpected<Error>(torn.error());
  if (fault && (sealed_later || !found.verifier.has_header() || found.good_bytes == 0)) {
    return fail(ErrorKind::malformed, "go on with", options_.path,
                fault->message() + "; keep it for whoever has to judge it, and name another file");
  }
  found.bad_bytes = size_ - found.good_bytes;
  return found;
}

Result<void> FileEvidence::start(Timestamp now) {
  if (auto done = open_file(); !done) return done;
  auto found = read_back();
  if (!found) return tl::unexpected<Error>(found.error());
  if (found->good_bytes == 0) {
    // New, or torn before its first line was whole.
    size_ = 0;
    if (::ftruncate(file_.get(), 0) != 0) return fail_errno("write", options_.path);
    const EvidenceHeader header{options_.probe_name, keys_.id(), keys_.sign_public(), now};
    const std::string line = header.to_line();
    if (auto done = put(line + '\n'); !done) return done;
    chain_ = EvidenceChain(line);
  } else {
    const EvidenceHeader& header = found->verifier.header();
    if (header.sign_public != keys_.sign_public()) {
      return fail(ErrorKind::usage, "go on with", options_.path,
                  "it is the record of another probe, '" + terminal_safe(header.name) +
                      "' with key " + to_hex(header.sign_public) + "; name another file");
    }
    chain_ = found->verifier.chain();
    size_ = found->good_bytes;
    if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) {
      return fail_errno("write", options_.path);
    }
  }
  // Whoever can write to the file can add lines that follow: only what is signed counts.
  const EvidenceTally& tally = found->verifier.signed_tally();
  short_cycle_ = tally.begun(CycleKind::short_cycle);
  long_cycle_ = tally.begun(CycleKind::long_cycle);
  long_method_ = long_method_now_ = tally.long_method();
  long_done_ = tally.long_done();
  last_time_ = tally.latest();
  last_sequence_ = std::max({tally.reserved(), tally.last_sequence(), sequence_of(now)});
  if (found->bad_bytes > 0 && found->good_bytes > 0) {
    auto done = write_entry("mended bytes=" + std::to_string(found->bad_bytes), now);
    if (!done) return done;
  }
  if (const std::uint64_t loose = found->verifier.unsigned_lines(); loose > 0) {
    const std::uint64_t all = loose + (found->bad_bytes > 0 ? 1 : 0);  // `mended` included
    if (auto done = write_entry("resumed unsigned=" + std::to_string(all), now); !done) return done;
  }
  if (auto done = write_entry("started seq=" + std::to_string(last_sequence_), now); !done) {
    return done;
  }
  if (auto done = reserve(last_sequence_ + kReserved, now); !done) return done;
  return seal(now);
}

// All of it, or the file is as it was.
Result<void> FileEvidence::put(std::string_view bytes) {
  std::uint64_t at = size_;
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      auto error = fail_errno("write", options_.path);
      if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) {
        error.value().cause += "; its end is torn";
      }
      return error;
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
    at += static_cast<std::uint64_t>(put);
  }
  size_ = at;
  return {};
}

Result<void> FileEvidence::sync() {
  if (::fdatasync(file_.get()) != 0) return fail_errno("sync", options_.path);
  return {};
}

Result<void> FileEvidence::write_text(const std::string& text) {
  if (size_ > 2 * options_.most_bytes) {
    return fail(ErrorKind::limit, "write", options_.path,
                "it cannot be shortened: its folder must be writable by the probe's account");
  }
  EvidenceChain chain = chain_;
  auto done = put(chain.add(text) + ' ' + text + '\n');
  if (done) chain_ = chain;
  return done;
}

void FileEvidence::keep(std::string text) {
  if (waiting_bytes_ + text.size() <= kMostWaiting) {
    waiting_bytes_ += text.size();
    waiting_.push_back(std::move(text));
    return;
  }
  if (lost_at_.empty()) lost_at_ = text.substr(0, text.find(' '));
  const auto targets = text.find(" targets=");
  const bool of_short = text.find(" tried short ") != text.npos;
  const bool of_long = text.find(" tried long ") != text.npos;
  if ((!of_short && !of_long) || targets == text.npos) return;
  (of_short ? short_lost_ : long_lost_) = true;
  lost_tries_ += 1 + static_cast<std::uint64_t>(std::count(
                         text.begin() + static_cast<std::ptrdiff_t>(targets), text.end(), ','));
}

Result<void> FileEvidence::write_waiting() {
  while (!waiting_.empty()) {
    if (auto done = write_text(waiting_.front()); !done) return done;
    waiting_bytes_ -= waiting_.front().size();
    waiting_.pop_front();
  }
  if (lost_at_.empty()) return {};
  auto done = write_text(lost_at_ + " lost tries=" + std::to_string(lost_tries_));
  if (!done) return done;
  lost_at_.clear();
  lost_tries_ = 0;
  return {};
}

Result<void> FileEvidence::write_all(const std::vector<std::string>& texts) {
  for (const std::string& text : texts)
    keep(text);
  return write_waiting();
}

Result<void> FileEvidence::write_entry(const std::string& words, Timestamp now) {
  auto texts = runs_.take_all();
  texts.push_back(to_rfc3339(now) + ' ' + words);
  return write_all(texts);
}

Result<void> FileEvidence::write_due(Timestamp now) {
  if (auto done = write_all(runs_.take_due(now)); !done) return done;
  // Long stretches without a signature could not be summarised.
  const bool much = size_ - size_at_seal_ > options_.most_bytes / 8;
  if (much || now - sealed_ >= kSealEvery || now < sealed_) return seal(now);
  return {};
}

Result<void> FileEvidence::reserve(std::uint64_t until, Timestamp now) {
  if (auto done = write_waiting(); !done) return done;
  const std::string words = " reserved until=" + std::to_string(until);
  if (auto done = write_text(to_rfc3339(now) + words); !done) return done;
  // Only what is signed counts after a power loss.
  if (auto done = seal(now); !done) return done;
  reserved_ = until;
  return {};
}

Result<void> FileEvidence::seal(Timestamp now) {
  if (auto done = write_all(runs_.take_all()); !done) return done;
  if (size_ == size_at_seal_) {  // nothing since
    sealed_ = now;
    return {};
  }
  const auto signature = keys_.sign(chain_.message_to_sign());
  if (auto done = write_text(to_rfc3339(now) + " sealed sig=" + to_hex(signature)); !done) {
    return done;
  }
  if (auto done = sync(); !done) return done;
  sealed_ = now;
  size_at_seal_ = size_;
  return size_ > options_.most_bytes ? compact(now) : Result<void>();
}

// Behind the first signature of a completed cycle past the middle, or else the last one before the
// end.
Result<std::uint64_t> FileEvidence::find_cut() {
  std::uint64_t cut = 0;
  bool after_cycle = false, found = false;
  const auto read = read_evidence_lines(
      file_.get(), options_.path, size_, [&](std::string_view line, std::uint64_t end) {
        const bool sealed = line.find(" sealed sig=") != line.npos;
        if (sealed && end < size_) cut = end;
        found = sealed && after_cycle && end > size_ / 2 && end < size_;
        after_cycle = line.find(" completed ") != line.npos;
        return !found;
      });
  if (!read) return tl::unexpected<Error>(read.error());
  return cut;
}

Result<void> FileEvidence::compact(Timestamp now) {
  const auto cut = find_cut();
  if (!cut) return tl::unexpected<Error>(cut.error());
  if (*cut == 0) return {};  // one stretch alone is so long: the next time
  EvidenceVerifier verifier;
  Result<void> good;
  const auto read = read_evidence_lines(file_.get(), options_.path, *cut,
                                        [&](std::string_view line, std::uint64_t) {
                                          good = verifier.take(line);
                                          return good.has_value();
                                        });
  if (!read) return tl::unexpected<Error>(read.error());
  // What was changed behind our back must not become a summary of ours.
  if (!good) return fail(ErrorKind::malformed, "shorten", options_.path, good.error().message());

  const std::string header = verifier.header().to_line();
  EvidenceChain chain(header);
  std::string text = header + '\n';
  const auto add = [&](const std::string& line) { text += chain.add(line) + ' ' + line + '\n'; };
  for (const std::string& line : verifier.tally().to_summary(verifier.chain().head(), now))
    add(line);
  add(to_rfc3339(now) + " sealed sig=" + to_hex(keys_.sign(chain.message_to_sign())));

  FileEvidence fresh(options_, keys_);
  fresh.options_.path += ".new";
  fresh.file_ = Fd(::open(fresh.options_.path.c_str(),
                          O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fresh.file_ || ::flock(fresh.file_.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail_errno("shorten " + options_.path + ": open", fresh.options_.path);
  }
  if (auto done = fresh.put(text); !done) return done;
  std::string block(64 * 1024, '\0');
  for (std::uint64_t at = *cut; at < size_;) {
    const ssize_t got = ::pread(file_.get(), block.data(), block.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail_errno("read", options_.path);
    if (auto done = fresh.put(std::string_view(block).substr(0, static_cast<std::size_t>(got)));
        !done) {
      return done;
    }
    at += static_cast<std::uint64_t>(got);
  }
  if (auto done = fresh.sync(); !done) return done;
  if (::rename(fresh.options_.path.c_str(), options_.path.c_str()) != 0) {
    return fail_errno("replace", options_.path);
  }
  file_ = std::move(fresh.file_);
  size_ = size_at_seal_ = fresh.size_;
  const auto slash = options_.path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : options_.path.substr(0, slash + 1);
  const Fd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return fail_errno("replace", options_.path);
  return {};
}

}  // namespace

Result<std::unique_ptr<ProbeEvidence>> ProbeEvidence::open(const Options& options,
                                                           const PartyKeys& keys, Timestamp now) {
  if (options.path.empty()) return std::unique_ptr<ProbeEvidence>(new MemoryEvidence(now));
  auto evidence = std::make_unique<FileEvidence>(options, keys);
  if (auto started = evidence->start(now); !started) {
    return tl::unexpected<Error>(started.error());
  }
  return std::unique_ptr<ProbeEvidence>(std::move(evidence));
}

Result<EvidenceReport> verify_evidence(const std::string& path, const Key32* expected) {
  auto file = Fd::open_for_reading(path);
  if (!file) return tl::unexpected<Error>(file.error());
  EvidenceVerifier verifier;
  Result<void> good;
  const auto torn =
      read_evidence_lines(file->get(), path, kAll, [&](std::string_view line, std::uint64_t) {
        good = verifier.take(line);
        return good.has_value();
      });
  if (!torn) return tl::unexpected<Error>(torn.error());
  if (good && !verifier.has_header()) {
    return fail(ErrorKind::malformed, "verify", path, "it is no evidence file");
  }
  if (!good) return fail(ErrorKind::malformed, "verify", path, good.error().message());
  if (*torn > EvidenceVerifier::kLongestLine) {
    return fail(ErrorKind::malformed, "verify", path, "a line is longer than any that we write");
  }
  const EvidenceHeader& header = verifier.header();
  if (expected != nullptr && *expected != header.sign_public) {
    return fail(ErrorKind::malformed, "verify", path,
                "it is signed by key " + to_hex(header.sign_public) + ", not by the one expected");
  }
  EvidenceReport report = verifier.tally().report();
  report.probe_name = header.name;
  report.probe_id = header.id.to_string();
  report.sign_public = header.sign_public;
  report.unsigned_lines = verifier.unsigned_lines();
  report.torn_bytes = *torn;
  report.clean_end = report.clean_end && report.unsigned_lines == 0 && *torn == 0;
  return report;
}

}  // namespace beaconry
