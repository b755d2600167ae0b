// Whatever the headers: nobody gets in without a credential that is known, and nobody by two.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "control/access.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  constexpr std::string_view kSecret = "bcn_secret", kSession = "0123456789abcdef";
  unsigned sessions_asked = 0;
  HttpRequest head;
  // A header a line, "name: value"; the first byte says where the request comes from.
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool local = !text.empty() && text.front() == 'l';
  head.peer.address = *IpAddress::parse(local ? "127.0.0.1" : "192.0.2.1");
  for (const auto line : split(text.substr(text.empty() ? 0 : 1), '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    head.headers.emplace_back(ascii_lower(line.substr(0, colon)), line.substr(colon + 1));
  }
  const CredentialSource source{
      [&](std::string_view secret) -> std::optional<Credential> {
        if (secret != kSecret) return std::nullopt;
        return Credential{"anna", Role::read};
      },
      [](std::string_view) -> std::optional<Credential> { return std::nullopt; },
      [&](std::string_view secret) -> std::optional<Credential> {
        ++sessions_asked;
        if (secret != kSession) return std::nullopt;
        return Credential{"ben", Role::operator_};
      }};
  AccessRules rules;
  rules.has_tokens = true;
  const Access access = identify(head, rules, source);
  if (access.refused != 0 && (access.role != Role::none || access.reason.empty())) std::abort();
  const bool by_session = access.role == Role::operator_;
  if (by_session != !access.session.empty()) std::abort();
  if (by_session && (access.session != kSession || access.who != "ben")) std::abort();
  if (access.role != Role::none &&
      text.find(by_session ? kSession : kSecret) == std::string_view::npos) {
    std::abort();
  }
  if (!by_session && access.role != Role::none && access.role != Role::read) std::abort();
  // However many cookies: looking them up costs something.
  if (sessions_asked > 4) std::abort();
  if (terminal_safe(access.reason) != access.reason) std::abort();
  return 0;
}
