#include "accuracy/inputs.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "flow/server_name.h"
#include "source/read.h"
#include "source/simulate/zeek_writer.h"

namespace beaconry::accuracy {
namespace {

// A name that no claim has: its pair is covered by address claims alone.
constexpr const char* kAddressAlone = "(address)";

std::optional<LabelledPair> parse_label(std::string key) {
  LabelledPair label;
  const std::size_t star = key.rfind(":*");
  const bool any_port = star != std::string::npos && star + 2 == key.size();
  if (any_port) key.replace(star, 2, ":0/TCP");
  const auto pair = PairKey::parse(key);
  if (!pair) return std::nullopt;
  label.source = pair->source;
  label.destinations = {pair->destination};
  if (!any_port) label.port = pair->port;
  label.group = "capture";
  return label;
}

}  // namespace

Labels labels_of(const simulate::Traffic& traffic) {
  Labels labels;
  absl::flat_hash_set<IpAddress> seen, resolvers;
  for (const simulate::SimulatedFlow& flow : traffic.flows) {
    if (flow.service == simulate::Service::dns) resolvers.insert(flow.destination);
  }
  std::vector<IpAddress> all_resolvers(resolvers.begin(), resolvers.end());
  std::sort(all_resolvers.begin(), all_resolvers.end());
  for (const simulate::TruthPair& truth : traffic.truth) {
    const bool malicious = truth.label == simulate::TruthLabel::malicious;
    const std::string& name = traffic.names[truth.name];
    const LabelledPair pair{truth.pair.source, truth.addresses, name, truth.pair.port, truth.group};
    (malicious ? labels.malicious : labels.periodic).push_back(pair);
    if (truth.name == simulate::kNoName || truth.pair.port == 53) continue;
    LabelledPair lookups{truth.pair.source, all_resolvers, std::string(registered_domain(name)), 53,
                         "dns-lookups"};
    (malicious ? labels.ignored : labels.periodic).push_back(lookups);
    lookups.name = kAddressAlone;
    if (seen.insert(truth.pair.source).second) labels.periodic.push_back(lookups);
  }
  return labels;
}

Result<Input> simulated_input(std::string name, const simulate::Traffic& traffic,
                              const std::string& folder) {
  const auto written = simulate::write_zeek(traffic, folder, simulate::ZeekFormat::tsv);
  if (!written) return tl::unexpected<Error>(written.error());
  Input input;
  input.name = std::move(name);
  input.paths = {folder};
  input.labels = labels_of(traffic);
  simulate::feed(traffic, input.connections);
  return input;
}

simulate::Traffic truncated(const simulate::Traffic& traffic, std::size_t check_ins) {
  simulate::Traffic result = traffic;
  std::vector<absl::flat_hash_set<std::uint32_t>> kept(traffic.truth.size());
  std::erase_if(result.flows, [&](const simulate::SimulatedFlow& flow) {
    if (flow.truth == simulate::kNoTruth) return false;
    auto& known = kept[flow.truth];
    if (known.size() < check_ins) known.insert(flow.check_in);
    return !known.contains(flow.check_in);
  });
  return result;
}

Result<std::vector<Input>> read_captures(const std::string& folder) {
  const std::string path = folder + "/manifest.json";
  std::ifstream file(path);
  if (!file) return fail(ErrorKind::not_found, "open", path, "no such file");
  const auto manifest = nlohmann::ordered_json::parse(file, nullptr, false);
  if (!manifest.is_object()) return fail(ErrorKind::malformed, "parse", path, "want an object");
  std::vector<Input> inputs;
  try {
    for (const auto& [name, entry] : manifest.items()) {
      Input input;
      input.name = name;
      for (const auto& file_name : entry.at("files")) {
        input.paths.push_back(folder + "/" + file_name.get<std::string>());
      }
      for (const char* list : {"c2", "ignore"}) {
        for (const auto& key : entry.value(list, nlohmann::ordered_json::array())) {
          auto label = parse_label(key.get<std::string>());
          if (!label) return fail(ErrorKind::malformed, "parse", path, key.get<std::string>());
          (list[0] == 'c' ? input.labels.malicious : input.labels.ignored).push_back(*label);
        }
      }
      ReadOptions options;
      options.paths = input.paths;
      ReadReport report;
      FlowSink* sink = &input.connections;
      read_inputs(options, {&sink, 1}, report);
      inputs.push_back(std::move(input));
    }
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorKind::malformed, "parse", path, error.what());
  }
  return inputs;
}

}  // namespace beaconry::accuracy
