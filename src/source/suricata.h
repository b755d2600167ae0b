#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "flow/flow_event.h"
#include "source/bad_lines.h"
#include "source/flow_join.h"
#include "source/json_record.h"

namespace beaconry {

// The records of Suricata's eve.json that are used.
enum class EveKind : std::uint8_t { other, flow, http, tls, quic, dns, dhcp };

// Turns eve records into flow events; one object a thread. A flow record is one `close` for the
// whole flow; its bytes count packets with their headers, for Suricata knows no other. Names join
// by flow_id; the records that tell them come before their flow's in a file.
class SuricataRows {
 public:
  // Both must outlive this object.
  SuricataRows(FlowJoin& join, FlowSink& sink) : join_(join), sink_(sink) {}

  static EveKind kind_of(const JsonRecord& record);
  // `none` if the record was used.
  BadLine add(EveKind kind, const JsonRecord& record);
  std::uint64_t flows() const { return flows_; }

 private:
  BadLine add_flow(const JsonRecord& record);
  BadLine add_http(const JsonRecord& record);
  BadLine add_dns(const JsonRecord& record);
  BadLine add_dhcp(const JsonRecord& record);
  BadLine learn(FlowEvent event, NameKind kind, std::string_view name,
                std::string_view transaction);

  FlowJoin& join_;
  FlowSink& sink_;
  std::string name_buffer_;
  std::uint64_t flows_ = 0;
};

}  // namespace beaconry
