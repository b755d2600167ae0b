#include <algorithm>
#include <utility>

#include "alert/sinks/settings.h"
#include "alert/sinks/webhook_sender.h"
#include "base/text.h"

namespace beaconry::sinks {
namespace {

// A header's value, read from its file where it says "file:/path". No line break may get into a
// request.
Result<std::string> header_value(const ConfigValues& config, const ConfigEntry& entry) {
  constexpr std::string_view kFile = "file:";
  std::string value = entry.text;
  if (value.compare(0, kFile.size(), kFile) == 0) {
    auto content = read_small_file(value.substr(kFile.size()), kLongestSecretFile);
    if (!content) {
      return refuse_key(config, "alerting.webhook.headers", content.error().message());
    }
    value = std::string(trim(*content));
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(value.begin(), value.end(), is_control)) {
    return refuse_key(config, "alerting.webhook.headers",
                      "the value of " + terminal_safe(entry.name) + " has control characters");
  }
  return value;
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < 0x7f &&
           std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
  });
}

Result<std::unique_ptr<Sink>> make(const ConfigValues& config) {
  if (!config.boolean("alerting.webhook.enabled")) return std::unique_ptr<Sink>();
  WebhookSender::Options options;
  options.url = config.text("alerting.webhook.url").value_or("");
  if (options.url.empty()) {
    return refuse_key(config, "alerting.webhook.url",
                      "a webhook is enabled and has no address; write https://host/path");
  }
  options.form = *parse_webhook_template(*config.text("alerting.webhook.template"));
  options.timeout =
      std::chrono::ceil<std::chrono::seconds>(*config.duration("alerting.webhook.timeout"));
  options.quick_tries = static_cast<unsigned>(*config.count("alerting.webhook.retries"));
  if (const auto* headers = config.entries("alerting.webhook.headers")) {
    for (const ConfigEntry& entry : *headers) {
      if (!is_header_name(entry.name)) {
        return refuse_key(config, "alerting.webhook.headers",
                          '\'' + terminal_safe(entry.name) + "' is no header's name");
      }
      auto value = header_value(config, entry);
      if (!value) return tl::unexpected<Error>(std::move(value.error()));
      options.headers.emplace_back(entry.name, std::move(*value));
    }
  }
  auto secret = content_of(config, "alerting.webhook.secret_file");
  if (!secret) return tl::unexpected<Error>(std::move(secret.error()));
  options.secret = std::string(trim(*secret));
  auto ca = content_of(config, "alerting.webhook.ca_file");
  if (!ca) return tl::unexpected<Error>(std::move(ca.error()));
  options.ca_pem = std::move(*ca);
  auto sink = WebhookSender::make(std::move(options));
  if (!sink) return refuse_key(config, "alerting.webhook.url", sink.error().message());
  return sink;
}

}  // namespace

extern const SinkKind webhook;
constinit const SinkKind webhook{"webhook", make};

}  // namespace beaconry::sinks
