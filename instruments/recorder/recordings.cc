#include "recorder/recordings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "base/text.h"
#include "recorder/pcap_file.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;

// The run's number in 20261121T180000Z.17.pcap3; nothing for other files.
std::optional<std::uint64_t> run_of(std::string_view name) {
  const std::vector<std::string_view> parts = split(name, '.');
  if (parts.size() != 3 || !parts[2].starts_with("pcap")) return std::nullopt;
  if (parts[2].size() > 4 && !parse_unsigned(parts[2].substr(4))) return std::nullopt;
  return parse_unsigned(parts[1]);
}

}  // namespace

Result<void> Recordings::open() {
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno("make folder", folder_);
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder_, failed)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".part")) ::unlink(entry.path().c_str());
    if (const auto run = run_of(name)) run_ = std::max(run_, *run);
  }
  if (failed) return fail(ErrorKind::io, "read folder", folder_, failed.message());
  return {};
}

std::string Recordings::next_run() {
  return folder_ + "/%Y%m%dT%H%M%SZ." + std::to_string(++run_) + ".pcap";
}

Result<std::vector<Recordings::File>> Recordings::files() const {
  std::vector<File> files;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder_, failed)) {
    const auto run = run_of(entry.path().filename().string());
    struct stat status {};
    if (!run || ::lstat(entry.path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    File file;
    file.path = entry.path().string();
    file.run = *run;
    file.bytes = static_cast<std::uint64_t>(status.st_size);
    file.written = Timestamp{
        std::chrono::seconds{status.st_mtim.tv_sec} +
        std::chrono::duration_cast<Duration>(std::chrono::nanoseconds{status.st_mtim.tv_nsec})};
    files.push_back(std::move(file));
  }
  if (failed) return fail(ErrorKind::io, "read folder", folder_, failed.message());
  // Runs in their order, whatever the clock said; in a run the last written last.
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) {
    return std::tie(a.run, a.written, a.path) < std::tie(b.run, b.written, b.path);
  });
  return files;
}

std::string Recordings::progress(const std::vector<File>& files) {
  return files.empty() ? "" : files.back().path + ' ' + std::to_string(files.back().bytes);
}

Result<Recordings::Removed> Recordings::keep_below(std::uint64_t most) const {
  const auto all = files();
  if (!all) return tl::unexpected<Error>(all.error());
  std::uint64_t bytes = 0;
  for (const File& file : *all)
    bytes += file.bytes;
  Removed removed;
  for (std::size_t i = 0; i + 1 < all->size() && bytes > most; ++i) {
    if (::unlink((*all)[i].path.c_str()) != 0) return fail_errno("remove", (*all)[i].path);
    bytes -= (*all)[i].bytes;
    ++removed.files;
    removed.bytes += (*all)[i].bytes;
  }
  return removed;
}

RetentionReceipt Recordings::retain(Timestamp before,
                                    const std::function<void()>& close_current) const {
  RetentionReceipt receipt;
  const auto problem = [&](const Error& error) {
    if (receipt.error.empty()) receipt.error = error.message();
  };
  auto all = files();
  if (!all) {
    problem(all.error());
    return receipt;
  }
  if (!all->empty()) {
    // The newest may be written to: only where its first packet must go is that ended.
    const auto first = peek_pcap(all->back().path);
    if (first && first->packets > 0 && first->oldest < before) {
      close_current();
      all = files();
      if (!all) {
        problem(all.error());
        return receipt;
      }
    } else if (first) {
      all->pop_back();
    }
  }
  for (const File& file : *all) {
    const auto summary = scan_pcap(file.path);
    // Where no packet can be read, what was written last was written then.
    const Timestamp newest = summary && summary->packets > 0 ? summary->newest : file.written;
    if (newest < before) {
      if (::unlink(file.path.c_str()) != 0) {
        problem(fail_errno("remove", file.path).value());
        continue;
      }
      receipt.items += summary ? summary->packets : 0;
      receipt.bytes += file.bytes;
    } else if (!summary) {
      problem(summary.error());
    } else if (summary->packets > 0 && summary->oldest < before) {
      const auto trimmed = trim_pcap(file.path, before);
      if (!trimmed) {
        problem(trimmed.error());
        continue;
      }
      receipt.items += trimmed->packets;
      receipt.bytes += trimmed->bytes;
    }
  }
  receipt.oldest = oldest();
  return receipt;
}

std::optional<Timestamp> Recordings::oldest() const {
  std::optional<Timestamp> found;
  const auto all = files();
  if (!all) return found;
  for (const File& file : *all) {
    const auto first = peek_pcap(file.path);
    if (first && first->packets > 0 && (!found || first->oldest < *found)) found = first->oldest;
  }
  return found;
}

}  // namespace beaconry
