#include <string>
#include <utility>

#include "base/ip_address.h"
#include "base/text.h"
#include "control/access.h"

namespace beaconry {

Result<ListenPlan> listen_plan(const ConfigValues& values, bool has_tokens, bool has_certificate,
                               bool insecure) {
  constexpr const char* kAddress = "control_plane.listen_address";
  const Origin& origin = values.origin(kAddress);
  std::string text = *values.text(kAddress);
  if (ascii_lower(text) == "localhost") text = "127.0.0.1";
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const auto address = IpAddress::parse(text);
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::usage, "listen on",
                terminal_safe(text) + " (" + origin.to_string() + ')', std::move(cause));
  };
  if (!address) return refuse("not an address; write one such as 127.0.0.1 or ::1");

  const std::string mode = *values.text("control_plane.tls.mode");
  const bool named = values.text("control_plane.tls.certificate").has_value();
  const bool has_key = values.text("control_plane.api_key").has_value() ||
                       values.text("control_plane.api_key_file").has_value();
  if (mode == "on" && !has_certificate) {
    return refuse(
        "control_plane.tls.mode is on and there is no certificate; run "
        "'beaconry-control init' or set control_plane.tls.certificate and key");
  }
  const std::string port = ':' + std::to_string(*values.count("control_plane.listen_port"));
  const auto endpoint = [&](const IpAddress& at) {
    return (at.is_v4() ? at.to_string() : '[' + at.to_string() + ']') + port;
  };
  ListenPlan plan;
  if (const auto socket = values.text("control_plane.listen_socket")) {
    plan.listen.push_back("unix:" + *socket);
  }
  IpAddress at = *address;
  if (at.is_loopback()) {
    plan.tls = mode == "on" || (mode == "auto" && named);
    // Edges come in TLS only, by which they are known: those of this machine, too.
    plan.tls_beside = !plan.tls && mode == "auto" && has_certificate;
  } else {
    const bool tls = mode != "off" && has_certificate;
    const bool credentials = has_tokens || has_key;
    plan.tls = tls && (credentials || mode == "on");
    if (!(tls && credentials) && !insecure) {
      const std::string missing = std::string(tls ? "" : "TLS") +
                                  (tls || credentials ? "" : " and ") +
                                  (credentials ? "" : "a token");
      const std::string fix =
          "'beaconry-control init' makes a certificate and a token; --insecure does without";
      if (!at.is_unspecified() || origin.from != Origin::From::file) {
        return refuse("beyond loopback " + missing + (tls || credentials ? " is" : " are") +
                      " needed; " + fix);
      }
      at = *IpAddress::parse(at.is_v4() ? "127.0.0.1" : "::1");
      plan.tls = mode == "on";
      plan.warning = "listening on " + endpoint(at) + " only, not on " + text + " as " +
                     origin.to_string() + " says: beyond loopback " + missing +
                     (tls || credentials ? " is" : " are") + " needed; " + fix;
    } else if (!(tls && credentials)) {
      plan.warning = "listening on " + endpoint(at) + " without " +
                     (tls           ? ""
                      : credentials ? "TLS"
                                    : "TLS and tokens") +
                     (tls ? "tokens" : "") + " (--insecure): whoever reaches it can " +
                     (credentials ? "read what is sent" : "change everything");
    }
  }
  plan.listen.push_back(endpoint(at));
  return plan;
}

}  // namespace beaconry
