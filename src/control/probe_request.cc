#include "control/probe_request.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "escape/config.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;

constexpr std::size_t kMostListed = 256, kLongestNotes = 4096;
constexpr double kLeastPeriod = 60, kMostPeriod = 7 * 86'400.0;
constexpr double kLeastControl = 10;
constexpr std::string_view kFields[] = {"name",       "profile",       "home",  "neighbours",
                                        "control",    "control_every", "end",   "short_period",
                                        "long_cycle", "listen",        "peers", "notes"};

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::usage, "make", "a probe", std::move(cause));
}

// Members by name, whatever the document holds.
struct Reader {
  const Json& json;

  std::string text(const char* name) const {
    const auto found = json.find(name);
    if (found == json.end()) return {};
    return found->is_string()   ? found->get<std::string>()
           : found->is_number() ? found->dump()
                                : std::string();
  }
  // Texts of a list; a single text is a list of one. Nothing: it is something else.
  std::optional<std::vector<std::string>> texts(const char* name) const {
    std::vector<std::string> all;
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) return all;
    if (found->is_string()) return std::vector{found->get<std::string>()};
    if (!found->is_array() || found->size() > kMostListed) return std::nullopt;
    for (const Json& each : *found) {
      if (!each.is_string()) return std::nullopt;
      all.push_back(each.get<std::string>());
    }
    return all;
  }
  Result<seconds> length(const char* name, seconds fallback, double least, double most) const {
    const std::string given = text(name);
    if (given.empty()) return fallback;
    const auto value = parse_duration_seconds(given);
    if (!value || *value < least || *value > most) {
      return malformed('\'' + std::string(name) + "' must be a length such as 30m, from " +
                       to_words(seconds{static_cast<long>(least)}) + " to " +
                       to_words(seconds{static_cast<long>(most)}));
    }
    return seconds{static_cast<std::int64_t>(*value)};
  }
  Result<bool> flag(const char* name, bool fallback) const {
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) return fallback;
    if (!found->is_boolean()) return malformed('\'' + std::string(name) + "' is not true or false");
    return found->get<bool>();
  }
};

Result<std::optional<Timestamp>> read_end(const std::string& text, Timestamp now) {
  if (text.empty()) return std::optional<Timestamp>();
  std::optional<Timestamp> end = parse_rfc3339(text);
  constexpr double kLongest = 100 * 366 * 86'400.0;
  if (const auto length = parse_duration_seconds(text); length && *length <= kLongest) {
    end = now + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*length));
  }
  if (!end || *end > kLatest) {
    return malformed("'end' must be a time such as 2026-12-31T00:00:00Z, or a length such as 90d");
  }
  if (*end <= now) return malformed("'end' has passed already");
  return end;
}

// NAME=ADDRESS, with ",reachable" behind where the peer may be reached.
Result<ProbePeer> read_peer(const std::string& text) {
  ProbePeer peer;
  const std::size_t equals = text.find('=');
  std::string address = equals == std::string::npos ? std::string() : text.substr(equals + 1);
  constexpr std::string_view kReachable = ",reachable";
  if (address.ends_with(kReachable)) {
    address.resize(address.size() - kReachable.size());
    peer.may_reach = true;
  }
  const auto parsed = IpAddress::parse(address);
  if (equals == 0 || !parsed) {
    return malformed("a peer is NAME=ADDRESS, with ',reachable' behind where that is no leak");
  }
  peer.name = text.substr(0, equals);
  peer.address = *parsed;
  return peer;
}

Result<void> read_lists(const Reader& reader, KeptProbe& probe) {
  const auto neighbours = reader.texts("neighbours"), peers = reader.texts("peers");
  if (!neighbours || !peers) {
    return malformed("'neighbours' and 'peers' are lists of at most 256 texts");
  }
  for (const std::string& text : *neighbours) {
    const auto address = IpAddress::parse(text);
    if (!address) return malformed('\'' + terminal_safe(text) + "' is no neighbour's address");
    probe.neighbours.push_back(*address);
  }
  for (const std::string& text : *peers) {
    auto peer = read_peer(text);
    if (!peer) return tl::unexpected<Error>(std::move(peer.error()));
    probe.peers.push_back(std::move(*peer));
  }
  return {};
}

}  // namespace

Result<void> read_control(std::string_view text, KeptProbe& probe) {
  constexpr std::string_view kPath = "path:";
  if (text.empty() || text == "none") return {};
  if (text == "home") {
    probe.control = ControlKind::home;
    return {};
  }
  const auto refuse = [&] {
    return malformed("'control' must be none, home or path:ADDRESS:PORT, with /tcp behind for TCP");
  };
  if (text.substr(0, kPath.size()) != kPath) return refuse();
  text.remove_prefix(kPath.size());
  if (const std::size_t slash = text.rfind('/'); slash != std::string_view::npos) {
    const std::string_view word = text.substr(slash + 1);
    if (word != "tcp" && word != "udp") return refuse();
    probe.control_tcp = word == "tcp";
    text = text.substr(0, slash);
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse();
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = parse_unsigned(text.substr(colon + 1));
  if (!address || (!address->is_v4() && !bracketed) || !port || *port == 0 || *port > 65'535) {
    return refuse();
  }
  probe.control = ControlKind::path;
  probe.control_address = *address;
  probe.control_port = static_cast<std::uint16_t>(*port);
  return {};
}

Result<KeptProbe> read_probe_request(std::string_view text, Timestamp now) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return malformed("the body is not a JSON object");
  for (const auto& [name, value] : json.items()) {
    if (std::find(std::begin(kFields), std::end(kFields), name) == std::end(kFields)) {
      return malformed('\'' + terminal_safe(name.substr(0, 60)) + "' is no field of a probe");
    }
  }
  const Reader reader{json};
  KeptProbe probe;
  probe.created = now;
  probe.name = reader.text("name");
  if (probe.name.empty()) return malformed("'name' is required");
  probe.home = reader.text("home");
  probe.notes = utf8_valid(reader.text("notes"));
  if (probe.notes.size() > kLongestNotes) return malformed("'notes' is longer than 4096 bytes");
  if (const std::string profile = reader.text("profile"); !profile.empty()) {
    if (!parse_profile(profile)) return malformed("'profile' must be ot, office or lab");
    probe.profile = profile;
  }
  const auto period = reader.length("short_period", probe.short_period, kLeastPeriod, kMostPeriod);
  const auto every =
      reader.length("control_every", probe.control_every, kLeastControl, kMostPeriod);
  const auto end = read_end(reader.text("end"), now);
  const auto long_cycle = reader.flag("long_cycle", true), listen = reader.flag("listen", false);
  Result<void> done;
  if (!period) done = tl::unexpected<Error>(period.error());
  if (!every) done = tl::unexpected<Error>(every.error());
  if (!end) done = tl::unexpected<Error>(end.error());
  if (!long_cycle) done = tl::unexpected<Error>(long_cycle.error());
  if (!listen) done = tl::unexpected<Error>(listen.error());
  if (done) done = read_control(reader.text("control"), probe);
  if (done) done = read_lists(reader, probe);
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  probe.short_period = *period;
  probe.control_every = *every;
  probe.end = *end;
  probe.long_cycle = *long_cycle;
  probe.listen = *listen;
  return probe;
}

Result<KeptHome> choose_home(const std::vector<KeptHome>& homes, const std::string& wanted) {
  std::vector<const KeptHome*> fitting;
  for (const KeptHome& home : homes) {
    if (wanted.empty() || home.name == wanted || home.edge == wanted) fitting.push_back(&home);
  }
  if (homes.empty()) {
    return malformed(
        "no home has announced itself: run 'beaconry enroll home NAME' and, on the machine "
        "outside, the line that it prints; then start beaconry-home there");
  }
  if (fitting.empty()) {
    return fail(ErrorKind::not_found, "make", "a probe",
                "no home is called '" + terminal_safe(wanted.substr(0, 100)) + '\'');
  }
  if (fitting.size() > 1) return malformed("there are several homes: name one by 'home'");
  if (fitting.front()->addresses.empty()) {
    return malformed("home '" + fitting.front()->name +
                     "' has not said by which addresses probes reach it");
  }
  return *fitting.front();
}

Result<std::string> probe_line(const KeptProbe& probe, const Key32& seed, const KeptHome& home,
                               const Probes& known) {
  ProbeConfig config;
  config.name = probe.name;
  config.seed = seed;
  config.home.addresses = home.addresses;
  config.home.key = home.box_public;
  config.home.zone = home.zone;
  config.profile = parse_profile(probe.profile).value_or(Profile::ot);
  config.end = probe.end;
  config.short_period = probe.short_period;
  config.long_cycle = probe.long_cycle;
  config.neighbours = probe.neighbours;
  if (probe.control == ControlKind::path) {
    config.control = ProbeConfig::Control{probe.control_address, probe.control_port,
                                          probe.control_tcp, probe.control_every};
  }
  config.listen = probe.listen;
  for (const ProbePeer& each : probe.peers) {
    const auto peer = known.newest(each.name);
    if (!peer || peer->revoked) {
      return malformed("there is no probe '" + terminal_safe(each.name) + "' to be its peer");
    }
    config.peers.push_back({each.name, each.address, peer->box_public, each.may_reach});
  }
  std::string line = config.to_line();
  // A line that the probe would refuse is found out here, not in the segment.
  if (auto read = ProbeConfig::parse(line, "the probe's line"); !read) {
    return tl::unexpected<Error>(std::move(read.error()));
  }
  return line;
}

}  // namespace beaconry
