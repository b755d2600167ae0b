#pragma once

#include <string>

#include "fleet/reported.h"

namespace beaconry::test {

// A report as a sensor sends it, with these members of the reported state beside the least ones.
inline std::string report_text(const std::string& members = {}, const std::string& boot = "b1",
                               std::uint64_t sequence = 1) {
  return R"({"boot":")" + boot + R"(","machine":"m1","sequence":)" + std::to_string(sequence) +
         R"(,"reported":{"format":1,"name":"s1","version":"1.0","now":"2026-11-20T08:00:00.000Z")" +
         (members.empty() ? "" : "," + members) + "}}";
}

inline Reported report(const std::string& members = {}) {
  return Reported::parse(report_text(members)).value();
}

}  // namespace beaconry::test
