#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "hunt/output/terminal.h"

namespace beaconry {

// What the server's answers (JSON) look like on a terminal, and as CSV. A field that an older
// server leaves out is shown as "-" or 0; an answer that is no JSON object is an error. Texts are
// made harmless.

// "42.5%" and so on: the name that leads every screen.
std::string banner_text();
// A title between two lines.
std::string heading_text(std::string_view title);

Result<std::string> status_text(std::string_view json, const std::string& host, bool colour);
Result<std::string> beacons_text(std::string_view json, bool colour);
Result<std::string> long_connections_text(std::string_view json);
Result<std::string> connections_text(std::string_view json);
Result<std::string> alerts_text(std::string_view json, bool colour);
Result<std::string> instrument_events_text(std::string_view json);
Result<std::string> edges_text(std::string_view json);
Result<std::string> edge_text(std::string_view json);  // one, with its loss ledger
Result<std::string> tokens_text(std::string_view json);
Result<std::string> analysis_text(std::string_view json);
Result<std::string> config_history_text(std::string_view json);

// One header line, one line a row; the columns keep their names and order.
Result<std::string> beacons_csv(std::string_view json);
Result<std::string> long_connections_csv(std::string_view json);
Result<std::string> connections_csv(std::string_view json);
Result<std::string> alerts_csv(std::string_view json);
Result<std::string> instrument_events_csv(std::string_view json);

// Status, the best beacons and the newest alerts on one screen of `terminal`'s width and `rows`.
struct WatchState {
  std::string host, status, beacons, alerts;  // JSON of each; empty: not known yet
  std::string problem;                        // why it is not live, in words
  std::string updated;                        // time of the last answer
};
std::string watch_text(const WatchState& state, const Terminal& terminal, std::size_t rows);

}  // namespace beaconry
