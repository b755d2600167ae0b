#include "recorder/pcap_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace beaconry {
namespace {

// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap: in the byte order of who wrote it.
constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4, kNanoseconds = 0xa1b23c4d;
constexpr std::size_t kFileHeader = 24, kRecordHeader = 16;
constexpr std::uint32_t kLongestPacket = 1 << 20;
constexpr std::size_t kBuffer = 256 << 10;

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

std::uint32_t number_at(const char* bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Calls `record` with time and bytes (header included) of each; it returns false to stop.
Result<bool> walk(const std::string& path, std::string& head,
                  const std::function<bool(Timestamp, std::string_view)>& record) {
  const File file(std::fopen(path.c_str(), "re"));
  if (!file) return fail_errno("open", path);
  std::setvbuf(file.get(), nullptr, _IOFBF, kBuffer);
  head.resize(kFileHeader);
  const std::size_t had = std::fread(head.data(), 1, kFileHeader, file.get());
  if (had == 0) return true;  // made just now
  const std::uint32_t magic = had == kFileHeader ? number_at(head.data()) : 0;
  if (magic != kMicroseconds && magic != kNanoseconds)
    return fail(ErrorKind::malformed, "read", path, "it is no capture file of this machine");
  std::vector<char> bytes(kRecordHeader);
  while (true) {
    bytes.resize(kRecordHeader);
    const std::size_t got = std::fread(bytes.data(), 1, kRecordHeader, file.get());
    if (got == 0) return true;
    if (got != kRecordHeader) return false;
    const std::uint32_t seconds = number_at(bytes.data()), part = number_at(bytes.data() + 4);
    const std::uint32_t captured = number_at(bytes.data() + 8);
    if (captured > kLongestPacket) return false;
    bytes.resize(kRecordHeader + captured);
    if (std::fread(bytes.data() + kRecordHeader, 1, captured, file.get()) != captured) return false;
    const Timestamp time{std::chrono::seconds{seconds} +
                         Duration{magic == kNanoseconds ? part / 1000 : part}};
    if (!record(time, {bytes.data(), bytes.size()})) return true;
  }
}

Result<PcapSummary> summary_of(const std::string& path, std::uint64_t most) {
  PcapSummary out;
  std::string head;
  const auto whole = walk(path, head, [&](Timestamp time, std::string_view) {
    out.oldest = out.packets == 0 ? time : std::min(out.oldest, time);
    out.newest = out.packets == 0 ? time : std::max(out.newest, time);
    return ++out.packets < most;
  });
  if (!whole) return tl::unexpected<Error>(whole.error());
  out.whole = *whole;
  return out;
}

}  // namespace

Result<PcapSummary> scan_pcap(const std::string& path) {
  return summary_of(path, std::numeric_limits<std::uint64_t>::max());
}

Result<PcapSummary> peek_pcap(const std::string& path) {
  return summary_of(path, 1);
}

Result<PcapTrimmed> trim_pcap(const std::string& path, Timestamp before) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return fail_errno("look at", path);
  const std::string fresh = path + ".part";
  File out(std::fopen(fresh.c_str(), "we"));
  if (!out) return fail_errno("make", fresh);
  std::setvbuf(out.get(), nullptr, _IOFBF, kBuffer);
  PcapTrimmed trimmed;
  std::string head;
  std::uint64_t kept = kFileHeader;
  bool begun = false, failed = false;
  const auto begin = [&] {
    if (!begun) failed = std::fwrite(head.data(), 1, head.size(), out.get()) != head.size();
    begun = true;
  };
  const auto walked = walk(path, head, [&](Timestamp time, std::string_view bytes) {
    begin();
    if (time < before) {
      ++trimmed.packets;
      return !failed;
    }
    failed = failed || std::fwrite(bytes.data(), 1, bytes.size(), out.get()) != bytes.size();
    kept += bytes.size();
    return !failed;
  });
  if (walked) begin();
  if (failed || !walked || std::fflush(out.get()) != 0 || ::fdatasync(::fileno(out.get())) != 0 ||
      ::rename(fresh.c_str(), path.c_str()) != 0) {
    auto error = walked ? Result<PcapTrimmed>(fail_errno("write", fresh))
                        : Result<PcapTrimmed>(tl::unexpected<Error>(walked.error()));
    ::unlink(fresh.c_str());
    return error;
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  trimmed.bytes = size - std::min(size, kept);
  return trimmed;
}

}  // namespace beaconry
