#include "sensor/services/accounts.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "bus/dynamic_security.h"
#include "bus/topics.h"
#include "sensor/services/bus_access.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kLongestFile = 16 << 20;

std::vector<std::string> texts_of(const Json& json, const char* key) {
  std::vector<std::string> texts;
  const auto at = json.find(key);
  if (at == json.end() || !at->is_array()) return texts;
  for (const Json& one : *at) {
    if (one.is_string()) texts.push_back(one.get<std::string>());
  }
  return texts;
}

}  // namespace

Result<void> Accounts::read() {
  const auto text = read_small_file(file_, kLongestFile);
  if (!text) {
    if (text.error().kind == ErrorKind::not_found) return {};
    return tl::unexpected<Error>(text.error());
  }
  const Json kept = Json::parse(*text, nullptr, false);
  if (!kept.is_object()) {
    log_error(file_ + " is damaged: instruments get new passwords when they start again");
    return {};
  }
  for (const auto& [name, one] : kept.items()) {
    if (!one.is_object() || !InstanceName::parse(name)) continue;
    const auto password = one.find("password");
    if (password == one.end() || !password->is_string()) continue;
    BusAccount account{name, password->get<std::string>(), texts_of(one, "publish"),
                       texts_of(one, "subscribe")};
    if (const auto good = dynamic_security::check(account); !good) {
      log_error(file_ + ": " + good.error().message() +
                "; it gets a new account at its next start");
      continue;
    }
    accounts_[name] = std::move(account);
  }
  return {};
}

Result<void> Accounts::write() const {
  Json kept = Json::object();
  for (const auto& [name, account] : accounts_) {
    kept[name] = {{"password", account.password},
                  {"publish", account.may_publish},
                  {"subscribe", account.may_subscribe}};
  }
  return replace_file(file_, kept.dump());
}

std::vector<BusAccount> Accounts::all() const {
  std::vector<BusAccount> list;
  for (const auto& [name, account] : accounts_)
    list.push_back(account);
  return list;
}

Result<std::string> Accounts::password(const std::string& instance) {
  BusAccount& account = accounts_[instance];
  if (account.password.empty()) {
    account.instance = instance;
    account.password = make_bus_password();
    const auto written = write();
    if (!written) {
      accounts_.erase(instance);
      return tl::unexpected<Error>(written.error());
    }
  }
  return account.password;
}

Result<void> Accounts::follow(const std::map<std::string, const Manifest*>& instances,
                              const std::string& concerned, Broker& broker) {
  std::vector<const BusAccount*> changed;
  Result<void> refused;
  for (BusAccount& wished : bus_accounts(instances)) {
    const auto known = accounts_.find(wished.instance);
    if (known == accounts_.end()) continue;  // not prepared yet: it has no password
    BusAccount& account = known->second;
    if (account.may_publish == wished.may_publish &&
        account.may_subscribe == wished.may_subscribe) {
      continue;
    }
    // Nothing that the bus would refuse is kept: it would be refused at every start.
    wished.password = account.password;
    if (auto good = dynamic_security::check(wished); !good) {
      if (wished.instance == concerned) {
        refused = std::move(good);
      } else if (refused_.insert(wished.instance).second) {
        log_error(good.error().message() + "; it keeps the account that it has");
      }
      continue;
    }
    refused_.erase(wished.instance);
    account.may_publish = std::move(wished.may_publish);
    account.may_subscribe = std::move(wished.may_subscribe);
    changed.push_back(&account);
  }
  if (changed.empty()) return refused;
  auto result = write();
  for (const BusAccount* account : changed) {
    if (barred_.count(account->instance) != 0) continue;
    const auto set = broker.set_account(*account);
    if (!set && result) result = tl::unexpected<Error>(set.error());
  }
  return refused ? result : refused;
}

Result<void> Accounts::bar(const std::string& instance, Broker& broker) {
  if (!has(instance)) return {};
  barred_.insert(instance);
  return broker.remove_account(instance);
}

Result<void> Accounts::admit(const std::string& instance, Broker& broker) {
  if (barred_.erase(instance) == 0) return {};
  return broker.set_account(accounts_[instance]);
}

Result<void> Accounts::remove(const std::string& instance, Broker& broker) {
  refused_.erase(instance);
  barred_.erase(instance);
  if (accounts_.erase(instance) == 0) return {};
  auto result = write();
  const auto removed = broker.remove_account(instance);
  if (!removed && result) return removed;
  return result;
}

}  // namespace beaconry
