#pragma once
// What the tests of this folder share: a sink that keeps all, and files that vanish with the test.
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "flow/flow_event.h"
#include "source/read.h"

namespace beaconry {

struct KeptEvent {
  FlowEventKind kind;
  std::string pair;
  std::uint16_t source_port;
  std::int64_t micros, duration;
  std::uint64_t bytes_out, bytes_in;
  NameKind name_kind;
  std::string name, id;

  auto tie() const {
    return std::tie(micros, id, kind, pair, source_port, duration, bytes_out, bytes_in, name_kind,
                    name);
  }
  friend bool operator==(const KeptEvent& a, const KeptEvent& b) { return a.tie() == b.tie(); }
  friend bool operator<(const KeptEvent& a, const KeptEvent& b) { return a.tie() < b.tie(); }
};

class KeepingSink final : public FlowSink {
 public:
  void add(const FlowEvent& e) override {
    events.push_back({e.kind, e.pair.to_string(), e.source_port, e.time.time_since_epoch().count(),
                      e.duration.count(), e.bytes_out, e.bytes_in, e.name_kind,
                      std::string(e.server_name), std::string(e.id)});
  }
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp) override {
    names.push_back(host.to_string() + '=' + std::string(name));
  }
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp) override {
    names.push_back(address.to_string() + '~' + std::string(name));
  }
  std::vector<KeptEvent> events;
  std::vector<std::string> names;  // "host=name" by DHCP, "address~name" by DNS
};

// A folder of its own for one test.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "beaconry-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string write(const std::string& name, std::string_view content) const {
    const auto file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary)
        .write(content.data(), static_cast<std::streamsize>(content.size()));
    return file.string();
  }

 private:
  std::string path_;
};

inline std::string gzip(std::string_view text) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 32, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

struct Kept {
  std::vector<KeptEvent> events;   // sorted by time
  std::vector<std::string> names;  // sorted
  ReadReport report;

  bool refused(std::string_view reason, std::string_view place, std::uint64_t count = 1) const {
    const auto all = report.refusals();
    return std::any_of(all.begin(), all.end(), [&](const auto& one) {
      return one.reason == reason && one.count == count && one.first_place.ends_with(place);
    });
  }
};

inline void keep(std::vector<KeepingSink>& sinks, Kept& kept) {
  for (auto& sink : sinks) {
    kept.events.insert(kept.events.end(), sink.events.begin(), sink.events.end());
    kept.names.insert(kept.names.end(), sink.names.begin(), sink.names.end());
  }
  std::sort(kept.events.begin(), kept.events.end());
  std::sort(kept.names.begin(), kept.names.end());
}

inline void read_all(ReadOptions options, Kept& kept) {
  std::vector<KeepingSink> sinks(2);
  FlowSink* const pointers[] = {&sinks[0], &sinks[1]};
  read_inputs(options, pointers, kept.report);
  keep(sinks, kept);
}

inline void read_paths(std::vector<std::string> paths, Kept& kept) {
  ReadOptions options;
  options.paths = std::move(paths);
  read_all(options, kept);
}

}  // namespace beaconry
