#include "accuracy/detectors.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "accuracy/rivals/predecessor.h"
#include "accuracy/rivals/rita.h"

namespace beaconry::accuracy {
namespace {

void append_quoted(std::string& command, const std::string& text) {
  command.append(" '");
  for (const char c : text) {
    if (c == '\'') command.append("'\\'");
    command.push_back(c);
  }
  command.push_back('\'');
}

struct Series {
  std::vector<double> times;
  std::vector<double> sizes;
};

}  // namespace

std::optional<Claim> read_claim(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("pair_key")) return std::nullopt;
  try {
    const auto key = PairKey::parse(json.at("pair_key").get<std::string>());
    if (!key) return std::nullopt;
    Claim claim;
    claim.source = key->source;
    claim.destinations = {key->destination};
    claim.port = key->port;
    claim.score = json.at("combined_score").get<double>();
    claim.is_beacon = json.at("is_beacon").get<bool>();
    if (json.at("kind") == "named") {
      claim.name = json.at("server_name").get<std::string>();
      for (const auto& text : json.at("dst_ips")) {
        const auto address = IpAddress::parse(text.get<std::string>());
        if (address && *address != key->destination) claim.destinations.push_back(*address);
      }
    }
    return claim;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

Result<std::vector<Claim>> beaconry_claims(const std::string& program,
                                           const std::vector<std::string>& inputs) {
  std::string command = "exec";
  append_quoted(command, program);
  command.append(" hunt --all --format ndjson");
  for (const std::string& input : inputs)
    append_quoted(command, input);
  command.append(" 2>/dev/null");
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return fail_errno("run", command);
  std::vector<Claim> claims;
  char* line = nullptr;
  std::size_t room = 0;
  std::size_t unread = 0;
  for (ssize_t size = 0; (size = ::getline(&line, &room, pipe)) > 0;) {
    auto claim = read_claim({line, static_cast<std::size_t>(size)});
    if (claim) {
      claims.push_back(std::move(*claim));
    } else {
      ++unread;
    }
  }
  std::free(line);
  const int status = ::pclose(pipe);
  if (status != 0) {
    return fail(ErrorKind::io, "run", command, "it ended with status " + std::to_string(status));
  }
  if (unread > 0) {
    return fail(ErrorKind::malformed, "read the output of", command,
                std::to_string(unread) + " lines are no pairs");
  }
  return claims;
}

std::vector<Claim> predecessor_claims(const ConnectionList& list, double window_seconds) {
  absl::flat_hash_map<PairKey, Series> pairs;
  for (const auto& connection : list.connections()) {
    if (!connection.pair.source.is_v4()) continue;  // it knows no IPv6
    Series& series = pairs[connection.pair];
    series.times.push_back(connection.time);
    series.sizes.push_back(connection.bytes);
  }
  const PredecessorOptions options;
  std::vector<Claim> claims;
  for (auto& [pair, series] : pairs) {
    if (series.times.size() < options.least_events) continue;
    const std::span<const double> times(series.times), sizes(series.sizes);
    Claim claim{pair.source, {pair.destination}, "", pair.port, 0, false};
    for (double from = times.front(); from <= times.back(); from += window_seconds / 2) {
      const auto first = std::lower_bound(times.begin(), times.end(), from) - times.begin();
      const auto last =
          std::lower_bound(times.begin(), times.end(), from + window_seconds) - times.begin();
      const auto at = static_cast<std::size_t>(first);
      const auto count = static_cast<std::size_t>(last - first);
      const PredecessorScore score =
          predecessor_score(times.subspan(at, count), sizes.subspan(at, count), options);
      claim.score = std::max(claim.score, score.combined);
      claim.is_beacon = claim.is_beacon || score.is_beacon;
    }
    claims.push_back(std::move(claim));
  }
  return claims;
}

std::vector<Claim> rita_claims(const ConnectionList& list, double beacon_at) {
  struct Key {
    IpAddress source;
    IpAddress destination;  // unspecified for a named series
    std::uint32_t name = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return absl::Hash<std::tuple<IpAddress, IpAddress, std::uint32_t>>()(
          {key.source, key.destination, key.name});
    }
  };
  struct Named : Series {
    std::vector<IpAddress> destinations;
  };
  std::unordered_map<Key, Named, KeyHash> series;
  const auto put = [&series](const Key& key, const ConnectionList::Connection& connection) {
    Named& one = series[key];
    one.times.push_back(connection.time);
    one.sizes.push_back(connection.out_ip_bytes);
    auto& known = one.destinations;
    const IpAddress& address = connection.pair.destination;
    if (std::find(known.begin(), known.end(), address) == known.end()) known.push_back(address);
  };
  for (const auto& connection : list.connections()) {
    if (connection.name != 0) put({connection.pair.source, {}, connection.name}, connection);
  }
  std::vector<Claim> claims;
  std::unordered_map<Key, bool, KeyHash> qualified;
  const auto claim_all = [&](bool named) {
    for (const auto& [key, one] : series) {
      const RitaScore score = rita_score(one.times, one.sizes, list.newest());
      if (!score.qualifies) continue;
      if (named) qualified[key] = true;
      claims.push_back({key.source, one.destinations, list.names()[key.name], std::nullopt,
                        score.score, score.score >= beacon_at});
    }
    series.clear();
  };
  claim_all(true);
  for (const auto& connection : list.connections()) {
    // What a qualifying named series uses leaves the address series.
    if (connection.name != 0 && qualified.contains({connection.pair.source, {}, connection.name})) {
      continue;
    }
    put({connection.pair.source, connection.pair.destination, 0}, connection);
  }
  claim_all(false);
  return claims;
}

}  // namespace beaconry::accuracy
