// Reading logs: from files in the page cache to flow events.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "source/read.h"

namespace beaconry {
namespace {

constexpr int kRows = 200'000;

class CountingSink final : public FlowSink {
 public:
  void add(const FlowEvent& event) override {
    ++count;
    benchmark::DoNotOptimize(event.pair);
  }
  void add_host_name(const IpAddress&, std::string_view, Timestamp) override {}
  void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}
  std::uint64_t count = 0;
};

struct Row {
  char time[32], start[40], uid[24], source[20], destination[20];
  int source_port, out, in;
};

Row row_of(int i) {
  Row row;
  const unsigned mix = static_cast<unsigned>(i) * 2654435761U;
  std::snprintf(row.time, sizeof row.time, "%d.%06u", 1'700'000'000 + i / 14, mix % 1'000'000);
  std::snprintf(row.start, sizeof row.start, "2023-11-14T%02d:%02d:%02d.%06u+0000", i / 3600 % 24,
                i / 60 % 60, i % 60, mix % 1'000'000);
  std::snprintf(row.uid, sizeof row.uid, "C%08x%08x", mix, ~mix);
  std::snprintf(row.source, sizeof row.source, "10.%u.%u.%u", mix >> 30, mix >> 8 & 255,
                mix >> 16 & 255);
  std::snprintf(row.destination, sizeof row.destination, "%u.%u.%u.%u", 11 + mix % 200,
                mix >> 12 & 255, mix >> 20 & 255, mix >> 4 & 255);
  row.source_port = 1024 + static_cast<int>(mix % 60'000);
  row.out = static_cast<int>(mix % 4000), row.in = static_cast<int>(mix % 60'000);
  return row;
}

std::string line_of(const char* format, const Row& r, bool rfc3339) {
  char line[512];
  // The formats below take these in this order.
  const int size = std::snprintf(line, sizeof line, format, rfc3339 ? r.start : r.time, r.uid,
                                 r.source, r.source_port, r.destination, r.out, r.in);
  return std::string(line, static_cast<std::size_t>(size));
}

std::string make(const std::string& name, const char* header, const char* format, bool rfc3339) {
  const auto path =
      (std::filesystem::temp_directory_path() / (name + std::to_string(::getpid()) + ".log"))
          .string();
  std::ofstream file(path, std::ios::binary);
  file << header;
  for (int i = 0; i < kRows; ++i)
    file << line_of(format, row_of(i), rfc3339);
  return path;
}

void read_file(benchmark::State& state, const std::string& path) {
  const auto threads = static_cast<std::size_t>(state.range(0));
  ReadOptions options;
  options.paths = {path};
  for (auto _ : state) {
    CountingSink sinks[2];
    FlowSink* const pointers[] = {&sinks[0], &sinks[1]};
    ReadReport report;
    read_inputs(options, std::span(pointers).first(threads), report);
    if (sinks[0].count + sinks[1].count != kRows) state.SkipWithError("rows were lost");
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(std::filesystem::file_size(path)));
  std::filesystem::remove(path);
}

void zeek_tsv(benchmark::State& state) {
  read_file(state,
            make("tsv",
                 "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
                 "#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\torig_bytes\t"
                 "resp_bytes\tid.resp_p\tproto\tservice\tduration\tconn_state\tlocal_orig\t"
                 "local_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\t"
                 "resp_ip_bytes\ttunnel_parents\n",
                 "%s\t%s\t%s\t%d\t%s\t%d\t%d\t443\ttcp\tssl\t1.511805\tSF\tT\tF\t0\tShADadFf\t"
                 "12\t498\t51\t47084\t-\n",
                 false));
}

void zeek_json(benchmark::State& state) {
  read_file(state, make("json", "",
                        R"({"ts":%s,"uid":"%s","id.orig_h":"%s","id.orig_p":%d,"id.resp_h":"%s",)"
                        R"("orig_bytes":%d,"resp_bytes":%d,"id.resp_p":443,"proto":"tcp",)"
                        R"("service":"ssl","duration":1.511805,"conn_state":"SF","missed_bytes":0,)"
                        R"("history":"ShADadFf","orig_pkts":12,"resp_pkts":51})"
                        "\n",
                        false));
}

void suricata_eve(benchmark::State& state) {
  read_file(state,
            make("eve", "",
                 R"({"timestamp":"%s","flow_id":"%s","event_type":"flow","src_ip":"%s",)"
                 R"("src_port":%d,"dest_ip":"%s","flow":{"bytes_toserver":%d,)"
                 R"("bytes_toclient":%d,"pkts_toserver":5,"start":"2023-11-14T00:00:00.5+0000"},)"
                 R"("dest_port":443,"proto":"TCP","app_proto":"tls"})"
                 "\n",
                 true));
}

BENCHMARK(zeek_tsv)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(zeek_json)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(suricata_eve)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace beaconry
