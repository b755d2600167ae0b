#pragma once
// Small traffic made for one test, and the logs that Zeek and Suricata would write of it.
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace beaconry::cli {

constexpr double kStart = 1'795'168'800;  // 2026-11-20T10:00:00Z

struct Connection {
  double time = kStart;
  std::string uid, source = "10.0.0.13";
  int source_port = 50'000;
  std::string destination = "203.0.113.50";
  int port = 443;
  std::string protocol = "tcp";
  double duration = 0.5;
  std::string bytes_out = "420", bytes_in = "1300";  // as the log has them
  std::string server_name;                           // for the ssl log; empty for none
};
using Connections = std::vector<Connection>;

// Draws the same numbers everywhere: std::mt19937_64 is defined, std's distributions are not.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  double between(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  char byte() { return static_cast<char>(engine_() >> 56); }

 private:
  std::mt19937_64 engine_;
};

// `count` connections like `first`, the next one after between(least, most) seconds.
Connections every(double least, double most, int count, const Connection& first = {});
// People: bursts of activity with heavy-tailed pauses and sizes.
Connections browsing(int count, const Connection& first);

// All of them, by time, with uids and source ports of their own where they have none.
Connections merged(std::vector<Connections> parts);

// One implant (10.0.0.13 -> 203.0.113.50, every 48..60 s for four hours), one of every 5 s
// (10.0.0.14 -> 198.51.100.7:8443), one that rotates its addresses behind cdn.rotate.example
// (10.0.0.16), NTP (10.0.0.15), and three people.
Connections small_network();
constexpr const char* kImplant = "10.0.0.13->203.0.113.50:443/TCP";
constexpr const char* kQuickImplant = "10.0.0.14->198.51.100.7:8443/TCP";
constexpr const char* kNamedImplant = "10.0.0.16->cdn.rotate.example:443/TCP";
constexpr const char* kNtp = "10.0.0.15->192.0.2.123:123/UDP";

std::string zeek_header(const std::string& path, const std::string& fields);
std::string conn_row(const Connection& c);
std::string conn_log(const Connections& connections, const std::string& path = "conn");
std::string conn_json(const Connections& connections);
std::string ssl_log(const Connections& connections);  // of those with a server name
std::string eve_json(const Connections& connections);

// Line k of `log` that is no comment, k from 0: where it begins.
std::size_t row_at(const std::string& log, int k);

}  // namespace beaconry::cli
