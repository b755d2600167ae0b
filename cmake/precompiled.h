#pragma once
// What most sources include of libraries, and the templates that they make of it: compiled once, in
// builds with BEACONRY_PRECOMPILE (cmake/BeaconryTargets.cmake). No source may need it: the other
// builds are without.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <tl/expected.hpp>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

template class std::basic_string<char>;
template class std::basic_string_view<char>;
template class std::vector<std::string>;
template class std::vector<std::string_view>;
template class std::vector<std::uint64_t>;
template class std::vector<std::uint8_t>;
template class std::vector<int>;
template class std::vector<double>;
template class std::map<std::string, std::string>;
template class std::set<std::string>;
template class std::optional<std::string>;
template class std::function<void()>;
template class nlohmann::basic_json<>;
template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace beaconry::precompiled {

template <class Json>
void use(Json& json, const std::string& text, const char* words, std::string_view view) {
  json = Json::parse(text, nullptr, false);
  json = Json::parse(words, nullptr, false);
  json = Json::parse(view, nullptr, false);
  json[text] = text;
  json["x"] = words;
  json["x"] = true;
  json["x"] = 1;
  json["x"] = std::uint64_t{1};
  json["x"] = std::int64_t{1};
  json["x"] = 1.0;
  json.push_back(text);
  json.push_back(json);
  (void)json.dump();
  (void)json.value("x", text);
  (void)json.value("x", words);
  (void)json.value("x", true);
  (void)json.value("x", std::uint64_t{1});
  (void)json.value("x", 1);
  (void)json.value("x", 1.0);
  (void)json.template get<std::string>();
  (void)json.template get<bool>();
  (void)json.template get<std::uint64_t>();
  (void)json.template get<std::int64_t>();
  (void)json.template get<double>();
  (void)json.contains(text);
  (void)json.contains("x");
  (void)json.find(text);
  (void)json.find("x");
  (void)json.at(text);
  (void)json.at("x");
  (void)(json == json);
  json.erase(text);
  for (const auto& [key, value] : json.items())
    (void)key, (void)value;
}
template void use(nlohmann::json&, const std::string&, const char*, std::string_view);
template void use(nlohmann::ordered_json&, const std::string&, const char*, std::string_view);

}  // namespace beaconry::precompiled
