#pragma once
#include <string>

#include "base/result.h"
#include "source/simulate/traffic.h"

namespace beaconry::simulate {

enum class ZeekFormat { tsv, json };

// Writes conn.log, ssl.log, http.log, dns.log and dhcp.log of `traffic` into `folder`, which is
// made where it does not exist. Rows stand as Zeek writes them: connections once they have ended
// and timed out, handshakes, requests and answers when they happen.
Result<void> write_zeek(const Traffic& traffic, const std::string& folder, ZeekFormat format);

}  // namespace beaconry::simulate
