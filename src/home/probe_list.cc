#include "home/probe_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestName = 200, kLongestVersion = 64;
constexpr std::uint64_t kLeastControl = 1, kMostControl = 31 * 86'400;

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "the list of probes", std::move(cause));
}

std::string text_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<KnownProbe> read_probe(const Json& json) {
  if (!json.is_object()) return malformed("a probe is not an object");
  KnownProbe probe;
  const auto id = ProbeId::parse(text_in(json, "id"));
  if (!id) return malformed("a probe's 'id' is not 16 hex digits");
  probe.id = *id;
  const auto box = parse_key(text_in(json, "box_public"));
  const auto sign = parse_key(text_in(json, "sign_public"));
  if (!box || !sign) {
    return malformed("probe " + id->to_string() +
                     ": 'box_public' and 'sign_public' are 64 hex digits each");
  }
  if (probe_id(*box) != probe.id) {
    return malformed("probe " + id->to_string() + ": its box key is another probe's");
  }
  // Whatever our own key is, the same few keys of others open nothing.
  static const PartyKeys any(PartyKeys::make_seed());
  if (!SharedKey::make(any, *box)) {
    return malformed("probe " + id->to_string() + ": its box key is none");
  }
  probe.box_public = *box;
  probe.sign_public = *sign;
  probe.name = terminal_safe(text_in(json, "name")).substr(0, kLongestName);
  const auto retired = json.find("retired");
  probe.retired = retired != json.end() && retired->is_boolean() && retired->get<bool>();
  return probe;
}

Result<ProbeList::Control> read_control(const Json& json) {
  if (!json.is_object()) return malformed("a control is not an object");
  const auto probe = ProbeId::parse(text_in(json, "probe"));
  const auto every = json.find("every_seconds");
  if (!probe || every == json.end() || !every->is_number_unsigned()) {
    return malformed("a control has a 'probe' of 16 hex digits and whole 'every_seconds'");
  }
  const std::uint64_t seconds =
      std::clamp(every->get<std::uint64_t>(), kLeastControl, kMostControl);
  return ProbeList::Control{*probe, std::chrono::seconds{seconds}};
}

// One bad entry takes nothing from the others.
template <class Item, class Read>
Result<std::vector<Item>> read_all(const Json& json, const char* name, const Read& read,
                                   std::vector<std::string>& refused) {
  std::vector<Item> all;
  const auto found = json.find(name);
  if (found == json.end()) return all;
  if (!found->is_array() || found->size() > KeyRing::kMostProbes) {
    return malformed('\'' + std::string(name) + "' is no list of at most " +
                     std::to_string(KeyRing::kMostProbes));
  }
  for (const Json& one : *found) {
    auto item = read(one);
    if (item) {
      all.push_back(std::move(*item));
    } else {
      refused.push_back(item.error().cause);
    }
  }
  return all;
}

// Of a probe that is there twice the first counts, retired if one of them is.
void merge_twins(std::vector<KnownProbe>& probes, std::vector<std::string>& refused) {
  std::unordered_map<std::uint64_t, std::size_t> places;
  std::vector<KnownProbe> once;
  for (KnownProbe& probe : probes) {
    const auto [at, is_first] = places.emplace(probe.id.value, once.size());
    if (is_first) {
      once.push_back(std::move(probe));
      continue;
    }
    once[at->second].retired = once[at->second].retired || probe.retired;
    refused.push_back("probe " + probe.id.to_string() + ": it is there twice");
  }
  probes = std::move(once);
}

}  // namespace

Result<ProbeList> parse_probe_list(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return malformed("it is not a JSON object");
  ProbeList list;
  if (const auto version = json.find("version"); version != json.end()) {
    if (!version->is_string() && !version->is_number_integer()) {
      return malformed("'version' is neither a text nor a whole number");
    }
    list.version = version->is_string() ? version->get<std::string>() : version->dump();
    if (list.version.size() > kLongestVersion) return malformed("'version' is too long");
  }
  list.has_probes = json.contains("probes");
  auto probes = read_all<KnownProbe>(json, "probes", read_probe, list.refused);
  if (!probes) return tl::unexpected<Error>(std::move(probes.error()));
  auto controls = read_all<ProbeList::Control>(json, "controls", read_control, list.refused);
  if (!controls) return tl::unexpected<Error>(std::move(controls.error()));
  list.probes = std::move(*probes);
  merge_twins(list.probes, list.refused);
  list.controls = std::move(*controls);
  return list;
}

}  // namespace beaconry
