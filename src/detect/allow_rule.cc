#include "detect/allow_rule.h"

#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kShownOfAnEntry = 80;

tl::unexpected<Error> refuse(std::string_view entry, std::string cause) {
  const bool cut = entry.size() > kShownOfAnEntry;
  return fail(ErrorKind::malformed, "read",
              '\'' + terminal_safe(entry.substr(0, kShownOfAnEntry)) + (cut ? "..." : "") + '\'',
              std::move(cause));
}

bool only_of(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

// "10.0.*" and "10.0.*.*" as 10.0.0.0/16.
std::optional<Cidr> parse_wildcard_block(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() < 2 || parts.size() > 4 || parts.back() != "*") return std::nullopt;
  std::uint32_t address = 0;
  unsigned bits = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "*") {
      if (!only_of(text.substr(static_cast<std::size_t>(parts[i].data() - text.data())), "*.")) {
        return std::nullopt;
      }
      break;
    }
    const auto octet = parse_unsigned(parts[i]);
    if (!octet || *octet > 255) return std::nullopt;
    address |= static_cast<std::uint32_t>(*octet) << (24 - bits);
    bits += 8;
  }
  if (bits == 0) return std::nullopt;
  return Cidr(IpAddress::v4(address), bits);
}

// An address or a block, brackets allowed: "[2001:db8::1]", "[2001:db8::]/32", "10.0.*".
std::optional<Cidr> parse_block(std::string_view text) {
  std::string plain(text);
  if (!plain.empty() && plain.front() == '[') {
    const auto close = plain.find(']');
    if (close == std::string::npos) return std::nullopt;
    if (close + 1 < plain.size() && plain[close + 1] != '/') return std::nullopt;
    plain.erase(close, 1);
    plain.erase(0, 1);
  }
  if (const auto block = Cidr::parse(plain)) return block;
  return parse_wildcard_block(plain);
}

// Nobody's name: digits, dots and slashes only, or what only IPv6 writes.
bool looks_like_address(std::string_view text) {
  return only_of(text, "0123456789./*?") || text.find_first_of("[]") != std::string_view::npos ||
         text.find("::") != std::string_view::npos;
}

constexpr const char* kNotAnAddress =
    "not an address or block; write 10.0.0.5, 10.0.0.0/8, 10.0.*, 2001:db8::1 or [2001:db8::1]";

Result<std::uint16_t> parse_port(std::string_view entry, std::string_view text) {
  const auto port = parse_unsigned(text);
  if (!port || *port > 65535) {
    return refuse(entry, "'" + terminal_safe(text) + "' is not a port; write one from 0 to 65535");
  }
  return static_cast<std::uint16_t>(*port);
}

// Splits at colons outside brackets.
std::vector<std::string_view> split_outside_brackets(std::string_view text) {
  std::vector<std::string_view> parts;
  bool inside = false;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '[') inside = true;
    if (text[at] == ']') inside = false;
    if (text[at] == ':' && !inside) {
      parts.push_back(text.substr(begin, at - begin));
      begin = at + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

// Fills the destination: any, an address, a block or a name.
Result<void> parse_destination(std::string_view entry, std::string_view text, AllowRule& rule) {
  if (text == "*") return {};
  if ((rule.destination = parse_block(text))) return {};
  if (looks_like_address(text)) return refuse(entry, kNotAnAddress);
  auto name = NamePattern::parse(text);
  if (!name) return refuse(entry, std::move(name.error().cause));
  rule.name = std::move(*name);
  return {};
}

Result<void> parse_source(std::string_view entry, std::string_view text, AllowRule& rule) {
  if (text == "*") return {};
  if (!(rule.source = parse_block(text))) {
    return refuse(entry, "the source must be an address or a block, not a name; " +
                             std::string("write 10.0.0.5, 10.0.0.0/8, [2001:db8::1] or *"));
  }
  return {};
}

Result<AllowRule> parse_key(std::string_view entry) {
  const auto pair = PairKey::parse(entry);
  if (!pair) return refuse(entry, "not a pair's key; write 10.0.0.5->203.0.113.9:443/TCP");
  AllowRule rule;
  rule.source = Cidr(pair->source, pair->source.is_v4() ? 32 : 128);
  rule.destination = Cidr(pair->destination, pair->destination.is_v4() ? 32 : 128);
  rule.port = pair->port;
  rule.protocol = pair->protocol;
  return rule;
}

// "53", ":53", "dst:port", "src:dst:port", each with a protocol where one was split off.
Result<AllowRule> parse_ports(std::string_view entry, std::string_view text,
                              std::optional<Protocol> protocol) {
  AllowRule rule;
  rule.protocol = protocol;
  const auto parts = split_outside_brackets(text);
  if (parts.size() > 3) {
    return refuse(entry,
                  "too many colons; write src:dst:port, and IPv6 addresses there in brackets");
  }
  const std::string_view port = parts.back();
  if (port != "*") {
    const auto number = parse_port(entry, port);
    if (!number) return tl::unexpected<Error>(number.error());
    rule.port = *number;
  }
  if (parts.size() == 3) {
    if (auto source = parse_source(entry, parts[0], rule); !source) {
      return tl::unexpected<Error>(source.error());
    }
  }
  if (parts.size() == 3 || (parts.size() == 2 && !parts[0].empty())) {
    if (auto destination = parse_destination(entry, parts[parts.size() - 2], rule); !destination) {
      return tl::unexpected<Error>(destination.error());
    }
  }
  if (!rule.source && !rule.destination && !rule.name && !rule.port) {
    return refuse(entry,
                  "it would hide everything; name at least one of source, destination, port");
  }
  return rule;
}

// A protocol after the last slash, which is cut off. Only names: "/8" is a block.
std::optional<Protocol> take_protocol(std::string_view& text) {
  const auto slash = text.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto word = text.substr(slash + 1);
  if (word.empty() || only_of(word, "0123456789")) return std::nullopt;
  const auto protocol = parse_protocol(word);
  if (protocol) text = text.substr(0, slash);
  return protocol;
}

}  // namespace

bool AllowRule::covers(const PairKey& pair, std::string_view server_name) const {
  if (port && *port != pair.port) return false;
  if (protocol && *protocol != pair.protocol) return false;
  if (source && !source->contains(pair.source)) return false;
  if (destination && !destination->contains(pair.destination)) return false;
  if (either_end && !either_end->contains(pair.source) && !either_end->contains(pair.destination)) {
    return false;
  }
  return !name || name->matches(server_name);
}

Result<AllowRule> AllowRule::parse(std::string_view text) {
  const std::string_view entry = trim(text);
  if (entry.empty()) return refuse(entry, "empty; write an address, a port, a name or a pair");
  if (entry.size() > kLongestAllowEntry) {
    return refuse(entry, "longer than " + std::to_string(kLongestAllowEntry) +
                             " characters; give one entry a line");
  }
  if (entry.find("->") != std::string_view::npos) return parse_key(entry);

  AllowRule rule;
  const std::string prefix = ascii_lower(entry.substr(0, 4));
  if (prefix == "src=" || prefix == "dst=") {
    const auto rest = entry.substr(4);
    const auto done =
        prefix == "src=" ? parse_source(entry, rest, rule) : parse_destination(entry, rest, rule);
    if (!done) return tl::unexpected<Error>(done.error());
    if (rest == "*") return refuse(entry, "it would hide everything; name an address or a block");
    return rule;
  }
  if ((rule.either_end = parse_block(entry))) return rule;

  std::string_view rest = entry;
  const auto protocol = take_protocol(rest);
  const bool has_colon = split_outside_brackets(rest).size() > 1;
  if (has_colon || (!rest.empty() && only_of(rest, "0123456789"))) {
    if (!has_colon || rest.find("::") == std::string_view::npos ||
        rest.find('[') != std::string_view::npos) {
      return parse_ports(entry, rest, protocol);
    }
  }
  if (protocol) {
    return refuse(entry, "a protocol follows a port: write 53/udp or *:example.com:443/tcp");
  }
  if (entry == "*") return refuse(entry, "it would hide everything; name an address, port or name");
  if (looks_like_address(entry)) return refuse(entry, kNotAnAddress);
  if (entry.find('/') != std::string_view::npos) {
    return refuse(entry, "after a slash comes a block's length, 10.0.0.0/8, or a protocol, 53/udp");
  }
  auto name = NamePattern::parse(entry);
  if (!name) return refuse(entry, std::move(name.error().cause));
  rule.name = std::move(*name);
  return rule;
}

}  // namespace beaconry
