#pragma once
// What the fuzz targets of the log formats share: bytes through the whole of a log's reading.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "flow/server_name.h"
#include "source/flow_join.h"
#include "source/line_chunks.h"
#include "source/log_parser.h"

namespace beaconry {

class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(std::string_view bytes) : rest_(bytes) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t count = std::min(out.size(), rest_.size());
    std::memcpy(out.data(), rest_.data(), count);
    rest_.remove_prefix(count);
    return count;
  }
  const std::string& name() const override { return name_; }

 private:
  std::string_view rest_;
  std::string name_ = "fuzz";
};

// Aborts on an event that breaks the contract of flow_event.h.
class JudgingSink final : public FlowSink {
 public:
  void add(const FlowEvent& event) override {
    require(event.time >= kEarliest && event.time <= kLatest && event.duration >= Duration{0});
    require(event.server_name.empty() == (event.name_kind == NameKind::none));
    require(event.server_name.size() <= kLongestServerName);
    require(event.server_name.find('\0') == std::string_view::npos);
  }
  void add_host_name(const IpAddress&, std::string_view name, Timestamp) override {
    require(!name.empty() && name.size() <= kLongestServerName);
  }
  void add_address_name(const IpAddress&, std::string_view name, Timestamp) override {
    require(!name.empty() && name.size() <= kLongestServerName);
  }

 private:
  static void require(bool holds) {
    if (!holds) std::abort();
  }
};

// The first byte sets the chunk size, so that borders fall anywhere.
inline int fuzz_log(InputFormat format, const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Sniffed content = sniff(text, "conn.log");
  content.format = format;
  ReadOptions options;
  ReadReport report;
  FlowJoin join(options.burst_gap, 1 << 20);
  JudgingSink sink;
  FlowSink* const sinks[] = {&sink};
  const LogReading reading{options, sinks, report, join};
  LogParser parser(reading, sink);
  for (const LogPass pass : {LogPass::names, LogPass::flows, LogPass::all}) {
    MemoryStream stream(text);
    StreamLines lines(stream, data[0] + std::size_t{1});
    LogPosition position;
    LineChunk chunk;
    for (auto more = lines.next(chunk); more && *more; more = lines.next(chunk)) {
      const auto scanned = scan_chunk(format, chunk, position);
      const auto outcome = parser.parse(content, pass, chunk, scanned);
      outcome.bad.report_to(report, "fuzz");
    }
  }
  join.open.flush(join.names, sink);
  return 0;
}

}  // namespace beaconry
