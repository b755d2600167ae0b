#include "http/target.h"

#include "base/ip_address.h"
#include "base/text.h"

namespace beaconry {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {  // RFC 3986 §2.3
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string percent_decoded(std::string_view text, bool form) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%' && i + 2 < text.size()) {
      const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    out.push_back(form && c == '+' ? ' ' : c);
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::string target_path(std::string_view target) {
  return percent_decoded(target.substr(0, target.find_first_of("?#")));
}

std::vector<std::pair<std::string, std::string>> target_parameters(std::string_view target) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return out;
  std::string_view query = target.substr(mark + 1);
  query = query.substr(0, query.find('#'));
  for (const std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    const auto equals = part.find('=');
    const auto value =
        equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
    out.emplace_back(percent_decoded(part.substr(0, equals), true), percent_decoded(value, true));
  }
  return out;
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  HostPort out;
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto address = IpAddress::parse(text.substr(1, end - 1));
    if (!address || text.substr(1, end - 1).find(':') == std::string_view::npos)
      return std::nullopt;
    out.host = ascii_lower(text.substr(1, end - 1));
    rest = text.substr(end + 1);
  } else {
    const auto colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    if (name.empty() || name.size() > 255) return std::nullopt;
    for (const char c : name) {
      if (!is_unreserved(c)) return std::nullopt;
    }
    out.host = ascii_lower(name);
    if (colon != std::string_view::npos) rest = text.substr(colon);
  }
  if (rest.empty()) return out;
  if (rest.front() != ':') return std::nullopt;
  const auto port = parse_unsigned(rest.substr(1));
  if (!port || *port > 65'535) return std::nullopt;
  out.port = static_cast<std::uint16_t>(*port);
  return out;
}

std::string to_string(const HostPort& host) {
  std::string out = host.host.find(':') == std::string::npos ? host.host : "[" + host.host + "]";
  if (host.port) out += ":" + std::to_string(*host.port);
  return out;
}

std::optional<Url> parse_url(std::string_view text) {
  Url out;
  if (text.starts_with("unix:")) {
    out.unix_path = text.substr(5);
    if (out.unix_path.starts_with("//")) out.unix_path.erase(0, 2);
    if (out.unix_path.empty() || out.unix_path.find('\0') != std::string::npos) return std::nullopt;
    return out;
  }
  const auto mark = text.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  const std::string scheme = ascii_lower(text.substr(0, mark));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  out.tls = scheme == "https";
  text.remove_prefix(mark + 3);
  const auto slash = text.find('/');
  const auto at = parse_host_port(text.substr(0, slash));
  if (!at) return std::nullopt;
  out.at = *at;
  if (!out.at.port) out.at.port = out.tls ? std::uint16_t{443} : std::uint16_t{80};
  if (slash != std::string_view::npos) {
    std::string_view prefix = text.substr(slash);
    while (!prefix.empty() && prefix.back() == '/')
      prefix.remove_suffix(1);
    for (const char c : prefix) {
      if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '?' || c == '#')
        return std::nullopt;
    }
    out.prefix = prefix;
  }
  return out;
}

}  // namespace beaconry
