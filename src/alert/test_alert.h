#pragma once
#include "alert/alert.h"

namespace beaconry {

// An alert as a new beacon makes one.
inline Alert test_alert(const std::string& id = "alert-1") {
  Alert alert;
  alert.id = id;
  alert.kind = "beacon.new";
  alert.title = "Beacon: 10.0.0.5 -> 203.0.113.9:443 every 60.0s";
  alert.description = "fixed sleep, one host only";
  alert.severity = Severity::high;
  alert.source = "hunt";
  alert.subject = "10.0.0.5->203.0.113.9:443/TCP";
  alert.details = R"({"src_ip":"10.0.0.5","dst_ip":"203.0.113.9","dst_port":443,"protocol":"TCP",)"
                  R"("combined_score":0.85})";
  alert.time = *parse_rfc3339("2026-11-21T18:00:00.125Z");
  alert.tags = {"beacon", "c2"};
  return alert;
}

}  // namespace beaconry
