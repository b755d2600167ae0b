#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "alert/alert.h"

namespace beaconry {

// What the receiver of a webhook understands.
enum class WebhookTemplate : unsigned char {
  json,   // the alert as the API gives it
  slack,  // a message with blocks, for Slack and what speaks like it (Mattermost, Rocket.Chat)
  ecs,    // an event in the Elastic Common Schema 8
};
std::optional<WebhookTemplate> parse_webhook_template(std::string_view word);

// One alert as the body of a POST, application/json.
std::string webhook_body(const Alert& alert, WebhookTemplate form);

}  // namespace beaconry
