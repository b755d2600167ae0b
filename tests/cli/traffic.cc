#include "cli/traffic.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/time.h"

namespace beaconry::cli {
namespace {

std::string seconds(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.6f", value);
  return text;
}

std::string rfc3339(double time) {
  return to_rfc3339(Timestamp{Duration{std::llround(time * 1e6)}});
}

std::string joined(const std::vector<std::string>& cells) {
  std::string row;
  for (const std::string& cell : cells)
    row += (row.empty() ? "" : "\t") + cell;
  return row + '\n';
}

}  // namespace

Connections every(double least, double most, int count, const Connection& first) {
  Dice dice(static_cast<std::uint64_t>(count) * 1009 + static_cast<std::uint64_t>(least));
  Connections all;
  Connection next = first;
  for (int i = 0; i < count; ++i) {
    all.push_back(next);
    next.time += dice.between(least, most);
  }
  return all;
}

Connections browsing(int count, const Connection& first) {
  Dice dice(static_cast<std::uint64_t>(count) * 31 + first.destination.size() +
            static_cast<std::uint64_t>(first.destination.back()));
  Connections all;
  Connection next = first;
  for (int i = 0; i < count; ++i) {
    next.bytes_out = std::to_string(std::lround(300 / std::pow(dice.between(0.02, 1), 0.8)));
    next.bytes_in = std::to_string(std::lround(900 / std::pow(dice.between(0.001, 1), 1.1)));
    all.push_back(next);
    // Mostly seconds, at times an hour: Pareto with a shape of 0.7.
    next.time += std::min(1.5 / std::pow(dice.between(0.0005, 1), 1 / 0.7), 3600.0);
  }
  return all;
}

Connections merged(std::vector<Connections> parts) {
  Connections all;
  for (Connections& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const Connection& a, const Connection& b) { return a.time < b.time; });
  int number = 0;
  for (Connection& c : all) {
    if (c.uid.empty()) c.uid = "C" + std::to_string(100'000 + number);
    if (c.source_port == Connection().source_port) c.source_port = 40'000 + number % 20'000;
    ++number;
  }
  return all;
}

Connections small_network() {
  Connection quick{};
  quick.source = "10.0.0.14", quick.destination = "198.51.100.7", quick.port = 8443;
  quick.time += 61;
  Connection ntp{};
  ntp.source = "10.0.0.15", ntp.destination = "192.0.2.123", ntp.port = 123, ntp.protocol = "udp";
  ntp.bytes_out = ntp.bytes_in = "48", ntp.time += 5;
  Connection rotating{};
  rotating.source = "10.0.0.16", rotating.server_name = "cdn.rotate.example";
  rotating.time += 17;
  Connections through = every(80, 100, 120, rotating);
  for (std::size_t i = 0; i < through.size(); ++i)
    through[i].destination = "203.0.113." + std::to_string(i % 3 == 0 ? 60 : 60 + i % 5);
  std::vector<Connections> parts{every(48, 60, 240), every(4.8, 5.2, 300, quick),
                                 every(64, 64, 200, ntp), through};
  for (int person = 0; person < 3; ++person) {
    Connection first{};
    first.source = "10.0.0." + std::to_string(21 + person);
    first.destination = "198.51.100." + std::to_string(101 + person);
    first.time += 100 * person;
    parts.push_back(browsing(120 + person, first));
  }
  return merged(std::move(parts));
}

std::string zeek_header(const std::string& path, const std::string& fields) {
  return "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t" +
         path + "\n#fields\t" + fields + "\n";
}

std::string conn_row(const Connection& c) {
  return joined({seconds(c.time), c.uid, c.source, std::to_string(c.source_port), c.destination,
                 std::to_string(c.port), c.protocol, "-", seconds(c.duration), c.bytes_out,
                 c.bytes_in, "SF", "ShADadFf", "6", "5"});
}

std::string conn_log(const Connections& connections, const std::string& path) {
  std::string log =
      zeek_header(path,
                  "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\t"
                  "orig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\tresp_pkts");
  for (const Connection& c : connections)
    log += conn_row(c);
  return log + "#close\t2026-11-21-00-00-00\n";
}

std::string conn_json(const Connections& connections) {
  std::string log;
  for (const Connection& c : connections) {
    log += R"({"ts":)" + seconds(c.time) + R"(,"uid":")" + c.uid + R"(","id.orig_h":")" + c.source +
           R"(","id.orig_p":)" + std::to_string(c.source_port) + R"(,"id.resp_h":")" +
           c.destination + R"(","id.resp_p":)" + std::to_string(c.port) + R"(,"proto":")" +
           c.protocol + R"(","duration":)" + seconds(c.duration) + R"(,"orig_bytes":)" +
           c.bytes_out + R"(,"resp_bytes":)" + c.bytes_in +
           R"(,"conn_state":"SF","history":"ShADadFf","orig_pkts":6,"resp_pkts":5})" + "\n";
  }
  return log;
}

std::string ssl_log(const Connections& connections) {
  std::string log = zeek_header(
      "ssl", "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tversion\tcipher\tserver_name");
  for (const Connection& c : connections) {
    if (c.server_name.empty()) continue;
    log += joined({seconds(c.time), c.uid, c.source, std::to_string(c.source_port), c.destination,
                   std::to_string(c.port), "TLSv13", "TLS_AES_128_GCM_SHA256", c.server_name});
  }
  return log;
}

std::string eve_json(const Connections& connections) {
  std::string log;
  int number = 1000;
  for (const Connection& c : connections) {
    const std::string common = R"("flow_id":)" + std::to_string(++number) + R"(,"src_ip":")" +
                               c.source + R"(","src_port":)" + std::to_string(c.source_port) +
                               R"(,"dest_ip":")" + c.destination + R"(","dest_port":)" +
                               std::to_string(c.port) + R"(,"proto":")" +
                               (c.protocol == "tcp" ? "TCP" : "UDP") + R"(")";
    if (!c.server_name.empty()) {
      log += R"({"timestamp":")" + rfc3339(c.time) + R"(","event_type":"tls",)" + common +
             R"(,"tls":{"sni":")" + c.server_name + "\"}}\n";
    }
    // Suricata writes a flow's record when it ends.
    log += R"({"timestamp":")" + rfc3339(c.time + c.duration + 60) + R"(","event_type":"flow",)" +
           common + R"(,"flow":{"bytes_toserver":)" + c.bytes_out + R"(,"bytes_toclient":)" +
           c.bytes_in + R"(,"start":")" + rfc3339(c.time) + R"(","end":")" +
           rfc3339(c.time + c.duration) + R"(","state":"closed"}})" + "\n";
  }
  return log;
}

std::size_t row_at(const std::string& log, int k) {
  std::size_t at = 0;
  for (;; at = log.find('\n', at) + 1) {
    if (log[at] != '#' && k-- == 0) return at;
  }
}

}  // namespace beaconry::cli
