#include "bus/dynamic_security.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "bus/json_fields.h"
#include "bus/topics.h"

namespace beaconry {

std::string make_bus_password() {
  std::array<unsigned char, 24> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  std::array<char, 40> text{};
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  return text.data();
}

namespace dynamic_security {
namespace {

using nlohmann::json;

// As mosquitto_ctrl has it. More would only cost: the passwords are random, nobody guesses them.
constexpr unsigned kIterations = 101;
constexpr std::size_t kSaltBytes = 12, kHashBytes = crypto_auth_hmacsha512_BYTES;
constexpr std::size_t kLongestFilter = 256, kLongestAnswer = 256 << 10;

std::string base64(const unsigned char* bytes, std::size_t size) {
  std::string text(sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes, size, sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the end mark
  return text;
}

json rule(const char* type, const std::string& filter) {
  return {{"acltype", type}, {"topic", filter}, {"allow", true}};
}

json rules(const std::set<std::string>& publish, const std::set<std::string>& subscribe) {
  json list = json::array();
  for (const std::string& filter : publish)
    list.push_back(rule("publishClientSend", filter));
  for (const std::string& filter : subscribe) {
    list.push_back(rule("publishClientReceive", filter));
    list.push_back(rule("subscribePattern", filter));
    list.push_back(rule("unsubscribePattern", filter));
  }
  return list;
}

json rules(const BusAccount& account) {
  std::set<std::string> publish(account.may_publish.begin(), account.may_publish.end());
  std::set<std::string> subscribe(account.may_subscribe.begin(), account.may_subscribe.end());
  publish.insert(topics::from_instrument(account.instance));
  subscribe.insert(topics::to_instrument(account.instance));
  subscribe.insert(topics::direct_filter(account.instance));
  return rules(publish, subscribe);
}

json client(const std::string& name, const std::string& password) {
  std::array<unsigned char, kSaltBytes> salt{};
  randombytes_buf(salt.data(), salt.size());
  const std::string_view salt_text(reinterpret_cast<const char*>(salt.data()), salt.size());
  return {{"username", name},
          {"clientid", name},
          {"password", hash_password(password, salt_text, kIterations)},
          {"salt", base64(salt.data(), salt.size())},
          {"iterations", kIterations},
          {"roles", json::array({{{"rolename", name}}})}};
}

bool is_filter(const std::string& filter) {
  if (filter.empty() || filter.size() > kLongestFilter || filter.front() == '$') return false;
  return std::all_of(filter.begin(), filter.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

std::string hash_password(std::string_view password, std::string_view salt, unsigned iterations) {
  // RFC 8018 §5.2, whose first block is all that is needed.
  std::array<unsigned char, kHashBytes> round{}, sum{};
  const auto* key = reinterpret_cast<const unsigned char*>(password.data());
  const auto mix = [&](const unsigned char* data, std::size_t size, std::string_view tail) {
    crypto_auth_hmacsha512_state state;
    crypto_auth_hmacsha512_init(&state, key, password.size());
    crypto_auth_hmacsha512_update(&state, data, size);
    crypto_auth_hmacsha512_update(&state, reinterpret_cast<const unsigned char*>(tail.data()),
                                  tail.size());
    crypto_auth_hmacsha512_final(&state, round.data());
  };
  mix(reinterpret_cast<const unsigned char*>(salt.data()), salt.size(),
      std::string_view("\0\0\0\1", 4));
  sum = round;
  for (unsigned i = 1; i < iterations; ++i) {
    mix(round.data(), round.size(), {});
    for (std::size_t at = 0; at < sum.size(); ++at)
      sum[at] ^= round[at];
  }
  return base64(sum.data(), sum.size());
}

Result<void> check(const BusAccount& account) {
  if (!InstanceName::parse(account.instance)) {
    return fail(ErrorKind::usage, "make a bus account for", account.instance, "it is no instance");
  }
  if (account.password.empty()) {
    return fail(ErrorKind::usage, "make a bus account for", account.instance, "no password");
  }
  if (account.may_publish.size() + account.may_subscribe.size() > kMostFilters) {
    return fail(ErrorKind::limit, "make a bus account for", account.instance,
                "more than " + std::to_string(kMostFilters) + " topic filters");
  }
  for (const auto* filters : {&account.may_publish, &account.may_subscribe}) {
    for (const std::string& filter : *filters) {
      if (!is_filter(filter)) {
        return fail(ErrorKind::usage, "make a bus account for", account.instance,
                    "\"" + filter + "\" is no topic filter");
      }
    }
  }
  return {};
}

std::string document(const std::vector<BusAccount>& accounts, const std::string& password) {
  const std::string platform(kPlatform), control = "$CONTROL/dynamic-security/#";
  const std::string probe(kProbe);
  json clients = json::array({client(platform, password), client(probe, password)});
  json roles =
      json::array({{{"rolename", platform}, {"acls", rules({"#", control}, {"#", control})}},
                   {{"rolename", probe}, {"acls", rules({std::string(topics::kProbe)}, {})}}});
  for (const BusAccount& account : accounts) {
    clients.push_back(client(account.instance, account.password));
    roles.push_back({{"rolename", account.instance}, {"acls", rules(account)}});
  }
  const json all{{"clients", clients},
                 {"roles", roles},
                 {"defaultACLAccess",
                  {{"publishClientSend", false},
                   {"publishClientReceive", false},
                   {"subscribe", false},
                   {"unsubscribe", false}}}};
  return json_text(all) + "\n";
}

std::string remove_command(const std::string& instance, const std::string& token) {
  return json_text(
      json{{"commands",
            {{{"command", "deleteClient"}, {"username", instance}, {"correlationData", token}},
             {{"command", "deleteRole"}, {"rolename", instance}, {"correlationData", token}}}}});
}

std::string replace_command(const BusAccount& account, const std::string& token) {
  auto command = json::parse(remove_command(account.instance, token));
  command["commands"].push_back({{"command", "createRole"},
                                 {"rolename", account.instance},
                                 {"acls", rules(account)},
                                 {"correlationData", token}});
  command["commands"].push_back({{"command", "createClient"},
                                 {"username", account.instance},
                                 {"clientid", account.instance},
                                 {"password", account.password},
                                 {"roles", json::array({{{"rolename", account.instance}}})},
                                 {"correlationData", token}});
  return json_text(command);
}

Answer read_answer(std::string_view text, const std::string& token) {
  const auto value = parse_json(text, kLongestAnswer);
  if (!value || !value->is_object()) return {};
  const auto responses = value->find("responses");
  if (responses == value->end() || !responses->is_array()) return {};
  const auto word = [](const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
  };
  Answer answer;
  for (const json& one : *responses) {
    if (!one.is_object() || word(one, "correlationData") != token) continue;
    answer.is_ours = true;
    const std::string command = word(one, "command"), error = word(one, "error");
    const bool was_not_there = command.starts_with("delete") && error.ends_with("not found");
    if (!error.empty() && !was_not_there) answer.complaint = command + ": " + error;
  }
  return answer;
}

}  // namespace dynamic_security
}  // namespace beaconry
