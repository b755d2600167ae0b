#include "source/simulate/truth.h"

#include <cstdio>
#include <memory>

namespace beaconry::simulate {
namespace {

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

}  // namespace

// Every text in it is the simulator's own and needs no escaping.
std::string truth_json(const Traffic& traffic) {
  std::string json = "{\n\"start\": \"" + to_rfc3339(traffic.start) + "\",\n\"end\": \"" +
                     to_rfc3339(traffic.end) +
                     "\",\n\"connections\": " + std::to_string(traffic.flows.size()) +
                     ",\n\"pairs\": [";
  const char* separator = "\n";
  for (const TruthPair& truth : traffic.truth) {
    json += separator;
    separator = ",\n";
    json += "{\"pair_key\": \"" + truth.pair.to_string() + "\", \"dst_ips\": [";
    const char* comma = "";
    for (const IpAddress& address : truth.addresses) {
      json += comma;
      json += '"' + address.to_string() + '"';
      comma = ", ";
    }
    json += "], \"server_name\": ";
    json += truth.name == kNoName ? "null" : '"' + traffic.names[truth.name] + '"';
    json += truth.label == TruthLabel::malicious ? ", \"label\": \"malicious\""
                                                 : ", \"label\": \"benign_periodic\"";
    json += ", \"class\": \"" + truth.group + "\", \"model\": \"" +
            std::string(to_string(truth.model.kind)) +
            "\", \"sleep_seconds\": " + decimal(truth.model.sleep_seconds) +
            ", \"jitter\": " + decimal(truth.model.jitter) +
            ", \"check_ins\": " + std::to_string(truth.check_ins) + "}";
  }
  return json + "\n]\n}\n";
}

Result<void> write_truth(const Traffic& traffic, const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"),
                                                             std::fclose);
  const std::string json = truth_json(traffic);
  if (!file || std::fwrite(json.data(), 1, json.size(), file.get()) != json.size() ||
      std::fflush(file.get()) != 0) {
    return fail_errno("write", path);
  }
  return {};
}

}  // namespace beaconry::simulate
