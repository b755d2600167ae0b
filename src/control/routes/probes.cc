#include "control/probes.h"

#include <algorithm>
#include <map>

#include "base/private_address.h"
#include "base/text.h"
#include "control/answer.h"
#include "control/body.h"
#include "control/control.h"
#include "control/probe_request.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

constexpr Duration kOverlap = std::chrono::hours{24};  // of an old key after a rotation

struct LeakCount {
  std::uint64_t open = 0, all = 0;
};
using LeakCounts = std::map<ProbeId, LeakCount>;

LeakCounts count_leaks(const Control& control) {
  LeakCounts counts;
  for (const Leak& leak : control.leaks().list()) {
    LeakCount& count = counts[leak.probe];
    ++count.all;
    if (!leak.closed) ++count.open;
  }
  return counts;
}

void write_time(JsonWriter& json, std::string_view name, const std::optional<Timestamp>& time) {
  json.name(name);
  time ? json.plain(to_rfc3339(*time)) : json.null();
}

std::string_view state_of(const KeptProbe& probe, Timestamp now) {
  if (probe.revoked) return "revoked";
  if (probe.end && *probe.end <= now) return "ended";
  if (probe.is_retired(now)) return "replaced";
  return probe.successor ? "being replaced" : "active";
}

std::string control_text(const KeptProbe& probe) {
  if (probe.control != ControlKind::path) return std::string(to_string(probe.control));
  const std::string address = probe.control_address.to_string();
  return "path:" + (probe.control_address.is_v4() ? address : '[' + address + ']') + ':' +
         std::to_string(probe.control_port) + (probe.control_tcp ? "/tcp" : "");
}

void write_heard(JsonWriter& json, const Control& control, const KeptProbe& probe,
                 const LeakCounts& leaks) {
  write_time(json, "last_heard", control.leaks().last_heard(probe.id));
  write_time(json, "last_control", control.leaks().last_control(probe.id));
  json.begin_list("addresses");
  for (const IpAddress& address : control.probes().addresses_of(probe.id))
    json.plain(address.to_string());
  json.end_list();
  const auto counts = leaks.find(probe.id);
  json.whole("leaks_open", counts == leaks.end() ? 0 : counts->second.open);
  json.whole("leaks", counts == leaks.end() ? 0 : counts->second.all);
}

void write_probe(JsonWriter& json, const Control& control, const KeptProbe& probe,
                 const LeakCounts& leaks, Timestamp now) {
  const auto home = control.homes().find(probe.home);
  json.plain("id", probe.id.to_string());
  json.text("name", probe.name);
  json.plain("state", state_of(probe, now));
  json.plain("box_public", to_hex(probe.box_public));
  json.plain("sign_public", to_hex(probe.sign_public));
  json.plain("home", probe.home);
  json.text_or_null("home_name", home ? home->name : "");
  json.flag("home_key_changed", home && home->box_public != probe.home_key);
  json.plain("profile", probe.profile);
  json.whole("short_period_seconds", static_cast<std::uint64_t>(probe.short_period.count()));
  json.flag("long_cycle", probe.long_cycle);
  json.flag("listen", probe.listen);
  json.plain("control", control_text(probe));
  json.whole("control_every_seconds", static_cast<std::uint64_t>(probe.control_every.count()));
  json.begin_list("neighbours");
  for (const IpAddress& address : probe.neighbours)
    json.plain(address.to_string());
  json.end_list();
  json.begin_list("peers");
  for (const ProbePeer& peer : probe.peers) {
    json.begin();
    json.text("name", peer.name);
    json.plain("address", peer.address.to_string());
    json.flag("may_reach", peer.may_reach);
    json.end();
  }
  json.end_list();
  json.text_or_null("notes", probe.notes);
  write_time(json, "end", probe.end);
  json.plain("created", to_rfc3339(probe.created));
  json.text("created_by", probe.created_by);
  write_time(json, "revoked", probe.revoked);
  json.text_or_null("revoked_by", probe.revoked_by);
  write_time(json, "retires", probe.retires);
  json.text_or_null("successor", probe.successor ? probe.successor->to_string() : "");
  write_heard(json, control, probe, leaks);
}

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
  const Query::Page page = query.page();
  if (query.refusal()) return *query.refusal();
  const auto all = control.probes().list();
  const LeakCounts leaks = count_leaks(control);
  const Timestamp now = control.now();
  const std::size_t end = page.end(all.size());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", end - std::min(page.first, end));
    json.whole("total", all.size());
    json.begin_list("probes");
    for (std::size_t i = page.first; i < end; ++i) {
      json.begin();
      write_probe(json, control, all[i], leaks, now);
      json.end();
    }
    json.end_list();
    json.text_or_null("next_cursor", page.next(all.size()));
    json.end();
  }));
}

std::optional<KeptProbe> find(const Control& control, const std::string& name_or_id) {
  if (auto probe = control.probes().newest(name_or_id)) return probe;
  const auto id = ProbeId::parse(name_or_id);
  return id ? control.probes().find(*id) : std::nullopt;
}

HttpResponse show(Control& control, const RouteCall& call) {
  const auto probe = find(control, std::string(call.argument));
  if (!probe) return error_answer(404, "no probe has this name or id");
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_probe(json, control, *probe, count_leaks(control), control.now());
    json.end();
  }));
}

// Homes that may be called: those whose edge was not revoked.
std::vector<KeptHome> enrolled_homes(const Control& control) {
  std::vector<KeptHome> homes = control.homes().list();
  std::erase_if(homes,
                [&](const KeptHome& home) { return !control.enrolled().is_enrolled(home.edge); });
  return homes;
}

// Probes whose lines name this one as a peer, and so its old key.
std::vector<std::string> peers_of(const Control& control, const std::string& name, Timestamp now) {
  std::vector<std::string> names;
  for (const KeptProbe& each : control.probes().list()) {
    if (each.name == name || each.successor || each.is_retired(now)) continue;
    const bool is_peer = std::any_of(each.peers.begin(), each.peers.end(),
                                     [&](const ProbePeer& peer) { return peer.name == name; });
    if (is_peer) names.push_back(each.name);
  }
  return names;
}

// The only answer that ever holds a seed: no cache may keep it.
HttpResponse line_answer(const Control& control, const KeptProbe& probe, const KeptHome& home,
                         const std::string& line, const std::optional<Timestamp>& old_until) {
  HttpResponse response = json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.text("line", line);
    write_time(json, "old_key_until", old_until);
    json.begin_list("home_addresses");
    for (const IpAddress& address : home.addresses)
      json.plain(address.to_string());
    json.end_list();
    json.begin_list("private_addresses");
    for (const IpAddress& address : home.addresses) {
      if (is_private(address)) json.plain(address.to_string());
    }
    json.end_list();
    json.begin_list("peers_to_rotate");
    if (old_until) {
      for (const std::string& peer : peers_of(control, probe.name, control.now()))
        json.text(peer);
    }
    json.end_list();
    json.begin("probe");
    write_probe(json, control, probe, count_leaks(control), control.now());
    json.end();
    json.end();
  }));
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

// New keys for it, and the line that holds their seed.
Result<std::string> give_keys(const Control& control, const KeptHome& home, KeptProbe& probe) {
  const Key32 seed = PartyKeys::make_seed();
  const PartyKeys keys(seed);
  probe.id = keys.id();
  probe.box_public = keys.box_public();
  probe.sign_public = keys.sign_public();
  probe.home = home.edge;
  probe.home_key = home.box_public;
  return probe_line(probe, seed, home, control.probes());
}

HttpResponse add(Control& control, const RouteCall& call) {
  auto probe = read_probe_request(call.request.body, control.now());
  if (!probe) return error_answer(probe.error());
  const auto home = choose_home(enrolled_homes(control), probe->home);
  if (!home) return error_answer(home.error());
  probe->created_by = call.who;
  call.note.object = probe->name;
  const auto line = give_keys(control, *home, *probe);
  if (!line) return error_answer(line.error());
  if (auto added = control.probes().add(*probe); !added) return error_answer(added.error());
  return line_answer(control, *probe, *home, *line, std::nullopt);
}

HttpResponse rotate(Control& control, const RouteCall& call) {
  Timestamp until = control.now() + kOverlap;
  std::string wanted;
  if (!trim(call.request.body).empty()) {
    auto body = Body::parse(call.request.body, {"overlap", "home"});
    if (!body) return error_answer(body.error());
    if (body->text_or("overlap", {}) == "0") {
      until = control.now();
    } else {
      until = body->time("overlap", control.now()).value_or(until);
    }
    wanted = body->text_or("home", {});
    if (!body->error().empty()) return error_answer(400, body->error());
  }
  auto probe = find(control, std::string(call.argument));
  if (!probe) return error_answer(404, "no probe has this name or id");
  if (probe->end && *probe->end <= control.now()) {
    return error_answer(400, "its end date has passed: add a probe with another");
  }
  const auto home = choose_home(enrolled_homes(control), wanted.empty() ? probe->home : wanted);
  if (!home) return error_answer(home.error());
  probe->created = control.now();
  probe->created_by = call.who;
  probe->retires.reset();
  probe->successor.reset();
  const auto line = give_keys(control, *home, *probe);
  if (!line) return error_answer(line.error());
  if (auto done = control.probes().rotate(*probe, until); !done) return error_answer(done.error());
  return line_answer(control, *probe, *home, *line, until);
}

HttpResponse revoke(Control& control, const RouteCall& call) {
  const auto done =
      control.probes().revoke(std::string(call.argument), std::string(call.who), control.now());
  if (!done) return error_answer(done.error());
  return json_answer(R"({"status":"revoked","keys":)" + std::to_string(*done) + "}");
}

constexpr RouteParameter kPage[] = {
    {"limit", "integer", "of this page, 1 to 10000; 10000"},
    {"cursor", "string", "`next_cursor` of the page before"},
};
constexpr std::string_view kProbe =
    "{id, name, state, box_public, sign_public, home, home_name, home_key_changed, profile, "
    "short_period_seconds, long_cycle, listen, control, control_every_seconds, neighbours, peers: "
    "[{name, address, may_reach}], notes, end, created, created_by, revoked, revoked_by, retires, "
    "successor, last_heard, last_control, addresses, leaks_open, leaks}";

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/probes",
        .summary = "Probes, each key of one: public keys and settings, no secret",
        .handle = list,
        .parameters = kPage,
        .response = "`{count, total, probes: [a probe as below], next_cursor}`",
    },
    {
        .method = "GET",
        .path = "/api/v1/probes/{name}",
        .summary = "One probe, by name or id",
        .handle = show,
        .response = kProbe,
    },
    {
        .method = "POST",
        .path = "/api/v1/probes",
        .summary = "Adds a probe and gives its one-line configuration, once",
        .role = Role::operator_,
        .handle = add,
        .body = "`{name, profile: ot|office|lab, home, neighbours: [address], control: "
                "none|home|path:ADDRESS:PORT[/tcp], control_every, end, short_period, long_cycle, "
                "listen, peers: [NAME=ADDRESS[,reachable]], notes}`; all but name may be left out",
        .response = "`{line, old_key_until, home_addresses: [address], private_addresses: "
                    "[address], peers_to_rotate: [name], probe}`; line holds the probe's seed, "
                    "which is not kept: it is shown this once. private_addresses are those of home "
                    "that mean nothing outside its own network; peers_to_rotate, after a rotation, "
                    "probes whose lines name the old key",
    },
    {
        .method = "POST",
        .path = "/api/v1/probes/{name}/rotate",
        .summary = "Gives a probe a new key; the old one counts until the overlap is over",
        .role = Role::operator_,
        .handle = rotate,
        .body = "`{overlap, home}`, or nothing: 24h, and the same home",
        .response = "as when it was added",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/probes/{name}",
        .summary = "Revokes every key of a probe, at once",
        .role = Role::operator_,
        .handle = revoke,
        .response = "`{status, keys}`",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource probes{"probes", kRoutes};
}
}  // namespace beaconry
