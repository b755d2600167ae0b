#include "escape/proxy_answer.h"

#include <algorithm>

#include "base/text.h"

namespace beaconry {
namespace {

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

constexpr std::size_t kLongestHost = 253, kLongestPath = 1024;

// Takes "host:port", "[address]:port" or "host" off the front of `text`.
struct Authority {
  std::string host;
  std::optional<std::uint16_t> port;
};
std::optional<Authority> take_authority(std::string_view& text) {
  Authority read;
  if (!text.empty() && text[0] == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || end > 46) return std::nullopt;
    read.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
  } else {
    const auto end = std::find_if_not(text.begin(), text.end(), is_host_character);
    const auto size = static_cast<std::size_t>(end - text.begin());
    read.host = text.substr(0, size);
    text.remove_prefix(size);
  }
  if (read.host.empty() || read.host.size() > kLongestHost) return std::nullopt;
  if (text.empty() || text[0] != ':') return read;
  const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
  const auto port = parse_unsigned(text.substr(1, std::min<std::size_t>(end - 1, 6)));
  if (!port || *port == 0 || *port > 65'535) return std::nullopt;
  text.remove_prefix(end);
  read.port = static_cast<std::uint16_t>(*port);
  return read;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

HttpAnswerHead read_http_answer(ByteView stream) {
  using Status = HttpAnswerHead::Status;
  HttpAnswerHead read;
  const std::string_view text = as_text(stream).substr(0, kLongestAnswerHead);
  constexpr std::string_view kStart = "HTTP/1.";
  if (text.substr(0, kStart.size()) != kStart.substr(0, text.size())) return read;
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (text.size() < kLongestAnswerHead) read.status = Status::needs_more;
    return read;
  }
  const auto code = parse_unsigned(text.substr(0, end).substr(std::min<std::size_t>(9, end), 3));
  if (!code || *code < 100 || *code > 599) return read;
  read.code = static_cast<unsigned>(*code);
  read.size = end + 4;
  read.status = Status::found;
  for (const std::string_view line : split(text.substr(0, end), '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (ascii_lower(line.substr(0, colon)) == "content-length") {
      read.body_size = parse_unsigned(trim(line.substr(colon + 1)));
    }
  }
  return read;
}

SocksAnswer read_socks5_greeting(ByteView stream) {
  if (stream.size() < 2) return {};
  return {stream[0] == 5 && stream[1] == 0, 2};
}

SocksAnswer read_socks5_answer(ByteView stream) {
  ByteCursor cursor(stream);
  const std::uint8_t version = cursor.u8(), code = cursor.u8();
  if (cursor.ok() && (version != 5 || code != 0)) return {false, 2};
  cursor.u8();
  const std::uint8_t kind = cursor.u8();
  if (cursor.ok() && kind != 1 && kind != 3 && kind != 4) return {false, 4};
  cursor.take(kind == 1 ? 4 : kind == 4 ? 16 : cursor.u8());
  cursor.u16();
  if (!cursor.ok()) return {};
  return {true, stream.size() - cursor.left()};
}

SocksAnswer read_socks4_answer(ByteView stream) {
  if (stream.size() < 8) return {};
  return {stream[0] == 0 && stream[1] == 90, 8};
}

std::optional<HttpUrl> parse_http_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  text = trim(text);
  if (ascii_lower(text.substr(0, kScheme.size())) != kScheme) return std::nullopt;
  text.remove_prefix(kScheme.size());
  const auto authority = take_authority(text);
  if (!authority || text.size() > kLongestPath) return std::nullopt;
  const bool visible =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!visible || (!text.empty() && text[0] != '/')) return std::nullopt;
  return HttpUrl{authority->host, authority->port.value_or(80),
                 text.empty() ? "/" : std::string(text)};
}

std::vector<PacProxy> pac_proxies(std::string_view script) {
  std::vector<PacProxy> found;
  script = script.substr(0, kLongestPac);
  while (!script.empty() && found.size() < kMostPacProxies) {
    const auto end = std::find_if_not(script.begin(), script.end(), is_host_character);
    const auto size = static_cast<std::size_t>(end - script.begin());
    const std::string word = size <= 6 ? ascii_lower(script.substr(0, size)) : std::string();
    script.remove_prefix(std::max<std::size_t>(size, 1));
    const bool socks = word == "socks" || word == "socks5";
    if (!socks && word != "proxy" && word != "http") continue;
    if (script.empty() || !is_blank(script[0])) continue;
    script.remove_prefix(static_cast<std::size_t>(
        std::find_if_not(script.begin(), script.end(), is_blank) - script.begin()));
    std::string_view rest = script;
    const auto authority = take_authority(rest);
    if (!authority || !authority->port) continue;  // words of a comment, most likely
    script = rest;
    PacProxy proxy{authority->host, *authority->port, socks};
    if (std::find(found.begin(), found.end(), proxy) == found.end()) {
      found.push_back(std::move(proxy));
    }
  }
  return found;
}

}  // namespace beaconry
