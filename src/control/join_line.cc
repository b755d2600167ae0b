#include "control/join_line.h"

#include "control/answer.h"
#include "control/control.h"

namespace beaconry {

std::string join_line_json(const Control& control, const JoinLine& line) {
  return json_text([&](JsonWriter& json) {
    json.begin();
    json.text("kind", line.kind);
    json.text("name", line.name);
    json.plain("token", line.token);
    json.plain("expires", to_rfc3339(line.expires));
    json.text_or_null("ca_fingerprint", control.ca_fingerprint());
    json.text("url", line.url);
    // The token stands in the environment: command lines are for all to see.
    json.text("join", "BEACONRY_JOIN_TOKEN=" + line.token + " beaconry-" + line.kind + " join " +
                          line.url + " --ca SHA256:" + control.ca_fingerprint());
    json.end();
  });
}

}  // namespace beaconry
