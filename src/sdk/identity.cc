#include "sdk/identity.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "bus/json_fields.h"

namespace beaconry::sdk {
namespace {

constexpr std::size_t kLongestFile = 64 << 10;
constexpr std::size_t kMostInterfaces = 64;

}  // namespace

Result<OwnIdentity> read_identity(const std::string& run_folder, const std::string& socket) {
  const std::string path = run_folder + "/identity.json";
  auto text = read_small_file(path, kLongestFile);
  if (!text) return tl::unexpected<Error>(std::move(text.error()));
  auto value = parse_json(*text, kLongestFile);
  if (!value) return tl::unexpected<Error>(std::move(value.error()));
  using Need = JsonFields::Need;
  JsonFields fields(*value, path);
  OwnIdentity own;
  own.identity.instance = fields.instance("instance");
  own.identity.sensor = fields.word("sensor");
  own.identity.instrument = fields.word("instrument");
  own.version = fields.text("version", bounds::kWord, Need::optional);
  for (const auto& one : fields.list("interfaces", kMostInterfaces, Need::optional)) {
    if (const auto* name = one.get_ptr<const std::string*>()) {
      own.identity.interfaces.push_back(*name);
    } else {
      fields.complain("interfaces", "one is no text");
    }
  }
  JsonFields bus(fields.object("bus"), "bus");
  own.bus.socket = socket;
  own.bus.client_id = own.identity.instance;
  own.bus.user = bus.word("user");
  own.bus.password = bus.text("password", bounds::kWord);
  fields.take_complaint(bus);
  if (!fields.is_good()) return tl::unexpected<Error>(fields.error());
  return own;
}

}  // namespace beaconry::sdk
