#pragma once
#include <map>
#include <string>
#include <vector>

#include "bus/broker.h"
#include "image/manifest.h"

namespace beaconry {

// What each of these instances may say and hear, without passwords: its own two topics, direct
// messages to the instances of the instruments that its relations name (and from those the answers
// to it), stored events of those it may subscribe to. Nothing else. Ordered by instance.
std::vector<BusAccount> bus_accounts(const std::map<std::string, const Manifest*>& instances);

bool may_find(const Manifest& manifest, std::string_view instrument);

}  // namespace beaconry
