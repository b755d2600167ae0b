#include "bus/topics.h"

#include <charconv>

namespace beaconry {
namespace {

constexpr std::size_t kLongestInstrument = 32;
constexpr unsigned kHighestNumber = 999;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool InstanceName::is_instrument_name(std::string_view text) {
  if (text.empty() || text.size() > kLongestInstrument || !is_lower(text.front())) return false;
  char before = 0;
  for (const char c : text) {
    if (!is_lower(c) && !is_digit(c) && (c != '-' || before == '-')) return false;
    before = c;
  }
  return before != '-';
}

std::optional<InstanceName> InstanceName::parse(std::string_view text) {
  const std::size_t at = text.rfind('_');
  if (at == std::string_view::npos || !is_instrument_name(text.substr(0, at))) return std::nullopt;
  const std::string_view digits = text.substr(at + 1);
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  InstanceName name{std::string(text.substr(0, at))};
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), name.number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (name.number > kHighestNumber) return std::nullopt;
  return name;
}

std::string InstanceName::to_string() const {
  return instrument + "_" + std::to_string(number);
}

namespace topics {

std::string to_instrument(std::string_view instance) {
  return "i/" + std::string(instance) + "/in";
}

std::string from_instrument(std::string_view instance) {
  return "i/" + std::string(instance) + "/out";
}

std::string direct(std::string_view to, std::string_view from) {
  return "direct/" + std::string(to) + "/" + std::string(from);
}

std::string direct_filter(std::string_view to) {
  return direct(to, "+");
}

std::string events(std::string_view instance) {
  const auto name = InstanceName::parse(instance);
  return "events/" + (name ? name->instrument : std::string(instance)) + "/" +
         std::string(instance);
}

std::string events_filter(std::string_view instrument) {
  return "events/" + std::string(instrument) + "/+";
}

std::string_view instance_of(std::string_view topic) {
  constexpr std::string_view kBefore = "i/", kBehind = "/out";
  if (!topic.starts_with(kBefore) || !topic.ends_with(kBehind)) return {};
  if (topic.size() <= kBefore.size() + kBehind.size()) return {};
  topic.remove_prefix(kBefore.size());
  topic.remove_suffix(kBehind.size());
  return InstanceName::parse(topic) ? topic : std::string_view{};
}

std::string_view sender_of_direct(std::string_view topic) {
  if (!topic.starts_with("direct/")) return {};
  topic.remove_prefix(topic.rfind('/') + 1);
  return InstanceName::parse(topic) ? topic : std::string_view{};
}

}  // namespace topics
}  // namespace beaconry
