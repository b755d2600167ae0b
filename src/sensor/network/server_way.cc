#include "sensor/network/server_way.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <set>

#include "http/target.h"
#include "sensor/network/management_plan.h"

namespace beaconry {

ServerWay::ServerWay(const std::string& server_url) {
  const auto url = parse_url(server_url);
  if (!url) return;
  host_ = url->at.host;
  if (const auto address = IpAddress::parse(host_)) {
    addresses_.push_back(*address);
  } else {
    is_name_ = !host_.empty();
  }
}

void ServerWay::resolve() {
  if (!is_name_) return;
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(host_.c_str(), nullptr, &hints, &found) != 0) return;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
  std::vector<IpAddress> all;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (one->ai_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(one->ai_addr);
      all.push_back(
          IpAddress::v4_bytes(reinterpret_cast<const std::uint8_t*>(&v4->sin_addr.s_addr)));
    } else if (one->ai_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(one->ai_addr);
      all.push_back(IpAddress::v6_bytes(v6->sin6_addr.s6_addr));
    }
  }
  const std::lock_guard lock(mutex_);
  addresses_ = std::move(all);
}

std::vector<std::string> ServerWay::interfaces() const {
  std::vector<IpAddress> addresses;
  {
    const std::lock_guard lock(mutex_);
    addresses = addresses_;
  }
  if (addresses.empty())
    return is_name_ ? interfaces_of_default_routes() : std::vector<std::string>();
  std::set<std::string> all;
  for (const IpAddress& one : addresses) {
    for (std::string& name : interfaces_towards(one))
      all.insert(std::move(name));
  }
  return {all.begin(), all.end()};
}

void ServerWay::set_own(const std::vector<std::string>& interfaces) {
  const std::lock_guard lock(mutex_);
  own_ = interfaces;
}

std::vector<std::string> ServerWay::reserved() const {
  std::vector<std::string> all = interfaces();
  const std::lock_guard lock(mutex_);
  all.insert(all.end(), own_.begin(), own_.end());
  return all;
}

}  // namespace beaconry
