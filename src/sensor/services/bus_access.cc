#include "sensor/services/bus_access.h"

#include <algorithm>
#include <utility>

#include "bus/dynamic_security.h"
#include "bus/topics.h"

namespace beaconry {
namespace {

void add(std::vector<std::string>& topics, std::string topic) {
  if (std::find(topics.begin(), topics.end(), topic) == topics.end()) {
    topics.push_back(std::move(topic));
  }
}

}  // namespace

std::vector<BusAccount> bus_accounts(const std::map<std::string, const Manifest*>& instances) {
  std::map<std::string, BusAccount> accounts;
  std::vector<std::pair<std::string, std::string>> replies;  // from, to
  for (const auto& [name, manifest] : instances) {
    BusAccount& account = accounts[name];
    account.instance = name;
    add(account.may_publish, topics::from_instrument(name));
    add(account.may_subscribe, topics::to_instrument(name));
    add(account.may_subscribe, topics::direct_filter(name));
    for (const Manifest::Relation& relation : manifest->relations) {
      if (relation.events) add(account.may_subscribe, topics::events_filter(relation.instrument));
      if (!relation.direct_message) continue;
      for (const auto& [other, of] : instances) {
        if (other == name || of->name != relation.instrument) continue;
        add(account.may_publish, topics::direct(other, name));
        replies.emplace_back(other, name);
      }
    }
  }
  // Whom it may answer is others' wish: they cannot make its account one that the bus refuses.
  for (const auto& [from, to] : replies) {
    BusAccount& account = accounts[from];
    if (account.may_publish.size() + account.may_subscribe.size() < dynamic_security::kMostFilters)
      add(account.may_publish, topics::direct(to, from));
  }
  std::vector<BusAccount> list;
  for (auto& [name, account] : accounts) {
    std::sort(account.may_publish.begin(), account.may_publish.end());
    std::sort(account.may_subscribe.begin(), account.may_subscribe.end());
    list.push_back(std::move(account));
  }
  return list;
}

bool may_find(const Manifest& manifest, std::string_view instrument) {
  return std::any_of(manifest.relations.begin(), manifest.relations.end(),
                     [&](const auto& one) { return one.find && one.instrument == instrument; });
}

}  // namespace beaconry
