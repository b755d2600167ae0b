#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "base/time.h"
#include "http/message.h"

namespace beaconry {

// What a server's answer to an edge says besides its status.

// `server_time` of its JSON, else the header Date, which knows whole seconds only.
std::optional<Timestamp> server_time(const HttpResponse& answer);
// A status of 2xx whose JSON says `"status": "accepted"`. Other words with a 2xx are not a Beaconry
// server's, but perhaps the log-in page of a network.
bool says_accepted(const HttpResponse& answer);
// "status 403: this edge is not enrolled": the status with the server's own words, bounded and safe
// for a terminal.
std::string words_of_answer(const HttpResponse& answer);
// Of the header Retry-After in seconds.
std::optional<std::chrono::seconds> retry_after(const HttpResponse& answer);

}  // namespace beaconry
