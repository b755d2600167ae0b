// escape_tool setup FOLDER METHODS FAMILIES PORTS NEIGHBOURS RESOLVERS PROFILE ZONE
//   Makes FOLDER/{probe.yaml,probes.json,home.key}: a probe that tries METHODS ("all", or words
//   with commas) alone, in a hurry, and a home that knows it. FAMILIES is 4, 6 or 46. Lists have
//   commas.
//   Its positive control goes to a port of home that no method tries, so that a gateway can let
//   out that alone.
// escape_tool marker FOLDER SEQUENCE
//   Sends home one more control ping of that probe, from wherever this runs: when it is in home's
//   spool, all that came before it is.
// escape_tool leaks FOLDER [PERIOD]
//   Reads the spool FOLDER/spool as a server would and prints a line a leak, with tabs: method,
//   family, path, via, one-way or two-way, title, explanation, fix, open or closed, and in
//   nanoseconds since 1970 when it was first and last seen. With PERIOD, of short cycles in
//   seconds, time goes on until now, and leaks close. Standard error: a line an observation.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "escape/method.h"
#include "leak/leak_book.h"
#include "ping/keys.h"
#include "ping/seal.h"
#include "spool/spool.h"
#include "uplink/observation_batch.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kProbeV4 = "10.0.1.9/24";
constexpr const char* kProbeV6 = "2001:db8:1::9/64";
constexpr const char* kHomeV4 = "203.0.113.10";
constexpr const char* kHomeV6 = "2001:db8:2::10";
constexpr std::uint16_t kControlPort = 40'007;

Json list(const std::string& text) {
  Json all = Json::array();
  for (const auto item : split(text, ','))
    if (!item.empty()) all.push_back(std::string(item));
  return all;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text << '\n';
}

int setup(const std::vector<std::string>& words) {
  const std::string &folder = words[0], &families = words[2], &profile = words[6];
  const Json methods = list(words[1]);
  const auto has = [&](const char* family) { return families.find(family) != std::string::npos; };
  const Key32 probe_seed = PartyKeys::make_seed(), home_seed = PartyKeys::make_seed();
  const PartyKeys probe(probe_seed), home(home_seed);

  Json addresses = Json::array(), own = Json::array(), gateways = Json::array();
  if (has("4")) {
    addresses.push_back(kHomeV4);
    own.push_back(kProbeV4);
    gateways.push_back("10.0.1.1");
  }
  if (has("6")) {
    addresses.push_back(kHomeV6);
    own.push_back(kProbeV6);
    gateways.push_back("2001:db8:1::1");
  }
  Json forbidden = Json::array();
  for (const Method* method : methods_table()) {
    const std::string name(to_string(method->id));
    const bool wanted = std::any_of(methods.begin(), methods.end(),
                                    [&](const Json& one) { return one == name || one == "all"; });
    if (!wanted && method->id != MethodId::control) forbidden.push_back(name);
  }
  const Json config{
      {"name", "hall"},
      {"seed", to_hex(probe_seed)},
      {"home", {{"addresses", addresses}, {"key", to_hex(home.box_public())}, {"zone", words[7]}}},
      {"profile", profile},
      {"long_cycle", false},
      {"control", {{"destination", addresses[0]}, {"port", kControlPort}, {"every", "2s"}}},
      {"dhcp", false},
      {"router_advertisements", has("6")},
      {"addresses", own},
      {"gateways", gateways},
      {"resolvers", list(words[5])},
      {"neighbours", list(words[4])},
      {"ports", list(words[3])},
      {"budget",
       {{"packets_a_second", 500},
        {"bytes_a_second", 1'000'000},
        {"broadcasts_a_minute", 60'000},
        {"forbidden", {{"methods", forbidden}}}}}};
  write(folder + "/probe.yaml", config.dump());
  write(folder + "/probes.json", Json{{"version", 1},
                                      {"probes",
                                       {{{"id", probe.id().to_string()},
                                         {"name", "hall"},
                                         {"box_public", to_hex(probe.box_public())},
                                         {"sign_public", to_hex(probe.sign_public())},
                                         {"retired", false}}}},
                                      {"controls", Json::array()}}
                                     .dump());
  const std::string state = folder + "/home";
  ::mkdir(state.c_str(), 0700);
  ::umask(077);
  write(state + "/home.key", to_hex(home_seed));
  const Json home_config{{"home",
                          {{"addresses", addresses},
                           {"zone", words[7]},
                           {"state_dir", state},
                           {"probes", folder + "/probes.json"},
                           {"socket", folder + "/home/socket"}}}};
  write(folder + "/home.yaml", home_config.dump());
  return 0;
}

std::string one_line(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3)
    text.replace(at, 1, " | ");
  return text;
}

std::string nanoseconds(Timestamp time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

int complain(const Error& error) {
  std::cerr << error.message() << '\n';
  return 1;
}

int marker(const std::vector<std::string>& words) {
  std::ifstream file(words[0] + "/probe.yaml");
  const Json config = Json::parse(file);
  const auto seed = parse_key(config["seed"].get<std::string>());
  const auto home = parse_key(config["home"]["key"].get<std::string>());
  if (!seed || !home) return complain((seed ? home : seed).error());
  const PartyKeys probe(*seed);
  const auto shared = SharedKey::make(probe, *home);
  if (!shared) return complain(shared.error());
  Ping ping;
  ping.method = MethodId::control;
  ping.probe = probe.id();
  ping.sequence = std::stoull(words[1]);
  ping.sent = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  ping.destination = *IpAddress::parse(config["home"]["addresses"][0].get<std::string>());
  ping.port = kControlPort;
  const Bytes sealed = seal(ping, *shared);

  const int descriptor = ::socket(AF_INET6, SOCK_DGRAM, 0);
  const int off = 0;
  ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(kControlPort);
  std::copy_n(ping.destination.bytes().begin(), 16, to.sin6_addr.s6_addr);  // v4: ::ffff:a.b.c.d
  const auto sent = ::sendto(descriptor, sealed.data(), sealed.size(), 0,
                             reinterpret_cast<const sockaddr*>(&to), sizeof to);
  if (sent < 0) std::perror("sendto");
  ::close(descriptor);
  return sent < 0 ? 1 : 0;
}

int leaks(const std::vector<std::string>& words) {
  const auto spool = Spool::open({.folder = words[0] + "/spool"});
  if (!spool) return complain(spool.error());
  LeakBook book;
  std::ifstream file(words[0] + "/probes.json");
  const Json document = Json::parse(file);
  std::vector<ProbeSchedule> schedules;
  for (const Json& known : document["probes"]) {
    ProbeSchedule schedule;
    schedule.probe = *ProbeId::parse(known["id"].get<std::string>());
    if (words.size() == 2) schedule.short_period = std::chrono::seconds(std::stoul(words[1]));
    schedules.push_back(std::move(schedule));
  }
  book.set_probes(std::move(schedules));
  std::uint64_t observations = 0;
  for (std::uint64_t at = (*spool)->first();;) {
    const auto record = (*spool)->read(at);
    if (!record) return complain(record.error());
    if (!*record) break;
    at = (*record)->sequence + 1;
    const auto batch = decode_observations((*record)->bytes, {});
    if (!batch) return complain(batch.error());
    for (const Observation& seen : batch->observations) {
      const auto outcome = book.add(seen);
      std::cerr << to_string(outcome.what) << ' ' << to_string(seen.ping.method) << " leg "
                << static_cast<int>(seen.ping.leg) << " seq " << seen.ping.sequence << " carrier "
                << static_cast<int>(seen.carrier) << " receiver " << seen.receiver << " source "
                << seen.source.to_string() << ':' << seen.source_port << " to "
                << seen.destination.to_string() << ':' << seen.destination_port << " ttl "
                << static_cast<int>(seen.ttl) << " variant " << static_cast<int>(seen.ping.variant)
                << " inside " << seen.ping.source.to_string() << " via "
                << seen.ping.via.to_string() << " leak " << outcome.leak_id << '\n';
      ++observations;
    }
  }
  if (words.size() == 2) {
    book.tick(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
  }
  std::vector<std::string> lines;
  for (const Leak& leak : book.leaks()) {
    const LeakWords said = describe(leak, "hall");
    const std::string via = leak.via.is_unspecified() ? "-" : leak.via.to_string();
    lines.push_back(std::string(to_string(leak.method)) + '\t' + (leak.ipv6 ? "IPv6" : "IPv4") +
                    '\t' + std::string(to_string(leak.path)) + '\t' + via + '\t' +
                    (leak.two_way ? "two-way" : "one-way") + '\t' + said.title + '\t' +
                    said.explanation + '\t' + one_line(said.fix) + '\t' +
                    (leak.closed ? "closed" : "open") + '\t' + nanoseconds(leak.first) + '\t' +
                    nanoseconds(leak.last));
  }
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines)
    std::cout << line << '\n';
  std::cerr << observations << " observations\n";
  return 0;
}

int run(const std::vector<std::string>& words) {
  if (words.size() == 9 && words[0] == "setup") return setup({words.begin() + 1, words.end()});
  if (words.size() == 3 && words[0] == "marker") return marker({words.begin() + 1, words.end()});
  if ((words.size() == 2 || words.size() == 3) && words[0] == "leaks") {
    return leaks({words.begin() + 1, words.end()});
  }
  std::cerr << "escape_tool: see the beginning of tests/escape/tool.cc\n";
  return 2;
}

}  // namespace
}  // namespace beaconry

int main(int count, char** words) {
  return beaconry::run({words + 1, words + count});
}
