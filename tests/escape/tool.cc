// escape_tool setup FOLDER METHODS FAMILIES PORTS NEIGHBOURS RESOLVERS PROFILE ZONE
//   Makes FOLDER/{probe.yaml,probes.json,home.key}: a probe that tries METHODS ("all", or words
//   with commas) alone, in a hurry, and a home that knows it. FAMILIES is 4, 6 or 46. Lists have
//   commas.
// escape_tool leaks FOLDER
//   Reads FOLDER/home/spool as a server would and prints a line a leak, with tabs: method, family,
//   path, via, one-way or two-way, title, explanation, fix.
#include <sys/stat.h>

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
#include "spool/spool.h"
#include "uplink/observation_batch.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kProbeV4 = "10.0.1.9/24";
constexpr const char* kProbeV6 = "2001:db8:1::9/64";
constexpr const char* kHomeV4 = "203.0.113.10";
constexpr const char* kHomeV6 = "2001:db8:2::10";

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
                           {"socket", folder + "/home.socket"},
                           {"user", "root"}}}};
  write(folder + "/home.yaml", home_config.dump());
  return 0;
}

std::string one_line(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3)
    text.replace(at, 1, " | ");
  return text;
}

int leaks(const std::vector<std::string>& words) {
  const auto spool = Spool::open({.folder = words[0] + "/home/spool"});
  if (!spool) {
    std::cerr << spool.error().message() << '\n';
    return 1;
  }
  LeakBook book;
  std::uint64_t observations = 0;
  for (std::uint64_t at = (*spool)->first();;) {
    const auto record = (*spool)->read(at);
    if (!record) {
      std::cerr << record.error().message() << '\n';
      return 1;
    }
    if (!*record) break;
    at = (*record)->sequence + 1;
    const auto batch = decode_observations((*record)->bytes, {});
    if (!batch) {
      std::cerr << batch.error().message() << '\n';
      return 1;
    }
    for (const Observation& seen : batch->observations) {
      const auto outcome = book.add(seen);
      std::cerr << to_string(outcome.what) << ' ' << to_string(seen.ping.method) << " leg "
                << static_cast<int>(seen.ping.leg) << " carrier " << static_cast<int>(seen.carrier)
                << " receiver " << seen.receiver << " source " << seen.source.to_string() << ':'
                << seen.source_port << " to " << seen.destination.to_string() << ':'
                << seen.destination_port << " ttl " << static_cast<int>(seen.ttl) << " variant "
                << static_cast<int>(seen.ping.variant) << " inside " << seen.ping.source.to_string()
                << " via " << seen.ping.via.to_string() << " leak " << outcome.leak_id << '\n';
      ++observations;
    }
  }
  std::vector<std::string> lines;
  for (const Leak& leak : book.leaks()) {
    const LeakWords said = describe(leak, "hall");
    const std::string via = leak.via.is_unspecified() ? "-" : leak.via.to_string();
    lines.push_back(std::string(to_string(leak.method)) + '\t' + (leak.ipv6 ? "IPv6" : "IPv4") +
                    '\t' + std::string(to_string(leak.path)) + '\t' + via + '\t' +
                    (leak.two_way ? "two-way" : "one-way") + '\t' + said.title + '\t' +
                    said.explanation + '\t' + one_line(said.fix));
  }
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines)
    std::cout << line << '\n';
  std::cerr << observations << " observations\n";
  return 0;
}

int run(const std::vector<std::string>& words) {
  if (words.size() == 9 && words[0] == "setup") return setup({words.begin() + 1, words.end()});
  if (words.size() == 2 && words[0] == "leaks") return leaks({words.begin() + 1, words.end()});
  std::cerr << "escape_tool: see the beginning of tests/escape/tool.cc\n";
  return 2;
}

}  // namespace
}  // namespace beaconry

int main(int count, char** words) {
  return beaconry::run({words + 1, words + count});
}
