#include "settings.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/utsname.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "base/private_address.h"
#include "base/text.h"
#include "config/document.h"
#include "config/keys.h"
#include "home/socket_address.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostAddresses = 8;  // that the server takes of one home

std::string host_name() {
  utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "home";
}

// Addresses of interfaces that are up, but those that mean nothing to a probe elsewhere: each of
// them would be a destination that it tries in vain.
std::vector<IpAddress> own_addresses() {
  std::vector<IpAddress> all;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return all;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
  for (const ifaddrs* one = list; one != nullptr && all.size() < kMostAddresses;
       one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, one->ifa_addr,
                family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const IpAddress address = from_socket_address(storage).first;
    if (is_private(address)) continue;
    if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
  }
  return all;
}

tl::unexpected<Error> wrong(const ConfigText& item, std::string cause) {
  return fail(ErrorKind::malformed, "read", item.origin.to_string(), std::move(cause));
}

Result<void> read_lists(const ConfigValues& values, HomeSettings& home) {
  if (const auto* interfaces = values.texts("home.interfaces")) {
    for (const ConfigText& one : *interfaces) {
      if (one.text.empty() || one.text.size() >= IFNAMSIZ) {
        return wrong(one, '\'' + terminal_safe(one.text) + "' is no interface's name");
      }
      home.interfaces.push_back(one.text);
    }
  }
  if (const auto* addresses = values.texts("home.addresses")) {
    for (const ConfigText& one : *addresses) {
      const auto address = IpAddress::parse(one.text);
      if (!address || address->is_unspecified() || address->is_multicast()) {
        return wrong(one, '\'' + terminal_safe(one.text) + "' is no address of a host");
      }
      home.addresses.push_back(*address);
    }
    if (addresses->size() > kMostAddresses) {
      return wrong(addresses->back(), "a home has at most 8 addresses");
    }
  }
  if (const auto* ports = values.texts("home.ports_left")) {
    for (const ConfigText& one : *ports) {
      const auto port = parse_unsigned(one.text);
      if (!port || *port == 0 || *port > 65'535) {
        return wrong(one, '\'' + terminal_safe(one.text) + "' is no port");
      }
      home.ports_left.push_back(static_cast<std::uint16_t>(*port));
    }
  }
  if (home.addresses.empty()) home.addresses = own_addresses();
  return {};
}

Result<ConfigValues> read_values(const HomeArguments& arguments) {
  ConfigValues values{config_schema()};
  if (!arguments.config.empty()) {
    const auto document = ConfigDocument::read(arguments.config);
    if (!document) return tl::unexpected<Error>(document.error());
    auto read = ConfigValues::read(config_schema(), *document);
    if (!read) return read;
    values = std::move(*read);
  }
  for (const auto& [key, text, option] :
       {std::tuple{"home.name", &arguments.name, "--name"},
        std::tuple{"home.probes", &arguments.probes, "--probes"}}) {
    if (text->empty()) continue;
    if (auto done = values.set(key, *text, option); !done) {
      return tl::unexpected<Error>(std::move(done.error()));
    }
  }
  return values;
}

}  // namespace

Result<HomeProgramSettings> HomeProgramSettings::read(const HomeArguments& arguments) {
  const auto read = read_values(arguments);
  if (!read) return tl::unexpected<Error>(read.error());
  const ConfigValues& values = *read;
  HomeProgramSettings settings;
  HomeSettings& home = settings.home;
  if (auto done = read_lists(values, home); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  home.zone = ascii_lower(values.text("home.zone").value_or(""));
  while (!home.zone.empty() && home.zone.back() == '.')
    home.zone.pop_back();
  home.dns_port = static_cast<std::uint16_t>(*values.count("home.dns_port"));
  home.all_ports = values.boolean("home.all_ports");
  home.suppress_replies = values.boolean("home.suppress_replies");
  home.most_connections = *values.count("home.max_connections");
  settings.name = values.text("home.name").value_or(host_name());
  settings.server_url = values.text("home.server").value_or("");
  settings.token_file = values.text("home.token_file").value_or("");
  settings.probes_file = values.text("home.probes").value_or("");
  settings.state_folder = *values.text("home.state_dir");
  settings.spool_folder = values.text("home.spool_dir").value_or(settings.state_folder + "/spool");
  settings.spool_bytes = *values.size("home.spool_bytes");
  settings.socket = *values.text("home.socket");
  settings.user = values.text("home.user").value_or("");
  settings.log = log_options(values);
  if (arguments.verbose) settings.log.level = LogLevel::debug;
  return settings;
}

std::string address_warning(const HomeSettings& home) {
  if (home.addresses.empty()) {
    return "No probe can be made for this home: it has no public address of its own. Name in "
           "home.addresses by which addresses probes reach it";
  }
  std::string text;
  for (const IpAddress& address : home.addresses) {
    if (is_private(address)) text += (text.empty() ? "" : ", ") + address.to_string();
  }
  if (text.empty()) return text;
  return "home.addresses holds " + text +
         ", which only its own network reaches: behind a NAT, name the address outside";
}

std::string describe(const HomeProgramSettings& settings) {
  const HomeSettings& home = settings.home;
  std::string text = "listen as '" + settings.name + "' at";
  for (const IpAddress& address : home.addresses)
    text += ' ' + address.to_string();
  text += home.addresses.empty() ? " no address\n" : "\n";
  if (const std::string warning = address_warning(home); !warning.empty()) {
    text += "WARNING: " + warning + '\n';
  }
  text += "sniff ";
  for (const std::string& name : home.interfaces)
    text += name + (::if_nametoindex(name.c_str()) == 0 ? " (not there now) " : " ");
  text += home.interfaces.empty() ? "all interfaces but loopback\n" : "\n";
  text += home.all_ports ? "take every TCP and UDP port that nobody uses\n"
                         : "take no ports: home.all_ports is off\n";
  text += home.zone.empty()
              ? "answer no DNS: home.zone is not set\n"
              : "answer DNS for " + home.zone + " on port " + std::to_string(home.dns_port) + '\n';
  text += settings.probes_file.empty() ? "learn the probes from the server\n"
                                       : "learn the probes from " + settings.probes_file + '\n';
  text += "keep up to " + bytes_in_words(static_cast<double>(settings.spool_bytes)) +
          " for the server in " + settings.spool_folder + '\n';
  return text;
}

}  // namespace beaconry
