#include "sensor/image_choice.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"

namespace beaconry {
namespace {

ChosenImage chosen(const Json& image) {
  return {text_at(image, "name"), text_at(image, "version"), text_at(image, "fingerprint"),
          text_at(image, "signed_by"), text_at(image, "signature_fault")};
}

}  // namespace

Result<ChosenImage> choose_image(SensorClient& sensor, const std::string& file_or_name) {
  std::error_code failed;
  const bool is_file = std::filesystem::is_regular_file(file_or_name, failed);
  if (is_file) {
    const Json body = {{"file", std::filesystem::absolute(file_or_name).string()}};
    const auto added =
        sensor.ask("POST", "/v1/images", body.dump(-1, ' ', false, Json::error_handler_t::replace));
    if (!added) return tl::unexpected<Error>(added.error());
    const auto image = parse_answer(*added);
    if (!image) return tl::unexpected<Error>(image.error());
    return chosen(*image);
  }
  const auto images = sensor.get("/v1/images");
  if (!images) return tl::unexpected<Error>(images.error());
  const std::size_t colon = std::min(file_or_name.find(':'), file_or_name.size());
  const std::string name = file_or_name.substr(0, colon);
  const std::string version = colon < file_or_name.size() ? file_or_name.substr(colon + 1) : "";
  // Without a version the last that came, which is the last of the list.
  const Json& list = list_at(*images, "images");
  for (auto at = list.rbegin(); at != list.rend(); ++at) {
    if (text_at(*at, "name") == name && (version.empty() || text_at(*at, "version") == version)) {
      return chosen(*at);
    }
  }
  return fail(ErrorKind::not_found, "open", file_or_name,
              "there is no such file, and the sensor has no image of this name");
}

std::string free_instance(const Json& report, const std::string& instrument) {
  for (unsigned number = 0;; ++number) {
    std::string name = instrument + '_' + std::to_string(number);
    const Json& taken = list_at(report, "instances");
    if (std::none_of(taken.begin(), taken.end(),
                     [&](const Json& each) { return text_at(each, "name") == name; })) {
      return name;
    }
  }
}

Result<Json> parse_interface(const std::string& text) {
  const auto refuse = [&](const std::string& cause) {
    return fail(ErrorKind::usage, "read", "--interface " + terminal_safe(text),
                cause +
                    "; write NAME=KIND:PARENT[,address=dhcp|A/P][,gateway=G][,resolver=R], "
                    "such as probe=bridge:br0,address=dhcp");
  };
  const auto parts = split(text, ',');
  const std::size_t equals = parts.front().find('='), colon = parts.front().find(':');
  if (equals == std::string_view::npos || colon == std::string_view::npos || colon < equals) {
    return refuse("it has no NAME=KIND:PARENT");
  }
  const std::string kind(parts.front().substr(equals + 1, colon - equals - 1));
  if (kind != "physical" && kind != "bridge" && kind != "macvlan" && kind != "mirror") {
    return refuse("'" + terminal_safe(kind) + "' is none of physical, bridge, macvlan, mirror");
  }
  Json interface = {{"name", std::string(parts.front().substr(0, equals))},
                    {"kind", kind},
                    {"parent", std::string(parts.front().substr(colon + 1))}};
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t at = parts[i].find('=');
    const std::string_view key = parts[i].substr(0, at);
    const std::string value(at == std::string_view::npos ? "" : parts[i].substr(at + 1));
    if (value.empty()) return refuse("'" + terminal_safe(parts[i]) + "' has no value");
    if (key == "address" || key == "gateway") {
      interface[std::string(key)] = value;
    } else if (key == "resolver") {
      interface["resolvers"].push_back(value);
    } else {
      return refuse("'" + terminal_safe(key) + "' is none of address, gateway, resolver");
    }
  }
  return interface;
}

}  // namespace beaconry
