#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "flow/flow_event.h"
#include "flow/networks.h"
#include "source/bad_lines.h"
#include "source/flow_join.h"
#include "source/log_row.h"

namespace beaconry {

// Turns rows of Zeek logs, from TSV or JSON, into flow events; one object a thread.
//
// A conn row is one `close` for the whole flow, an open_conn row one `alive`. A later http or dns
// row of a flow that comes a burst gap after the row before it, or names another server, is a
// `burst` with its own name and the sizes of its bodies; these are taken out of the flow's totals.
// The other logs are to be read before conn, for their names join by uid.
class ZeekRows {
 public:
  // All must outlive this object.
  ZeekRows(const Networks& networks, FlowJoin& join, FlowSink& sink)
      : networks_(networks), join_(join), sink_(sink) {}

  // `none` if the row was used.
  BadLine add(LogKind kind, const LogRow& row);
  std::uint64_t flows() const { return flows_; }  // connections that became events

 private:
  BadLine add_conn(const LogRow& row, bool open);
  BadLine add_name(const LogRow& row, LogKind kind);
  BadLine add_dhcp(const LogRow& row);
  std::pair<NameKind, std::string_view> name_of(const LogRow& row, LogKind kind,
                                                std::uint16_t port);

  const Networks& networks_;
  FlowJoin& join_;
  FlowSink& sink_;
  std::string name_buffer_;
  std::uint64_t flows_ = 0;
};

// A record's time: epoch seconds, milliseconds (Zeek's JSON option) or RFC 3339.
std::optional<Timestamp> parse_log_time(std::string_view text);

}  // namespace beaconry
