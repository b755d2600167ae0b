#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "source/bad_lines.h"
#include "source/inputs.h"
#include "source/json_record.h"
#include "source/line_chunks.h"
#include "source/log_reader.h"
#include "source/suricata.h"
#include "source/zeek_rows.h"
#include "source/zeek_tsv.h"

namespace beaconry {

// What is known of a log before a chunk of it: the chunk's parsing needs it, and it is found by a
// quick scan of the chunks before, so that these need not be parsed yet.
struct LogPosition {
  std::uint64_t lines = 0;
  ZeekHeaderReader header;
};

// A chunk with what its parsing needs.
struct ScannedChunk {
  std::uint64_t first_line = 1;
  std::uint64_t lines = 0;  // in the chunk; one that was left out for its length not counted
  // Zeek TSV: rows from this offset on have this header, which may be null.
  std::vector<std::pair<std::size_t, std::shared_ptr<const ZeekHeader>>> headers;
};

// Counts the lines of `chunk` and takes in its headers; moves `position` behind it.
ScannedChunk scan_chunk(InputFormat format, const LineChunk& chunk, LogPosition& position);

// Counts the newlines of a text.
std::uint64_t count_newlines(std::string_view text);

// Parses chunks of any log into events; one object a thread.
class LogParser {
 public:
  LogParser(const LogReading& reading, FlowSink& sink)
      : rows_(reading.options.networks, reading.join, sink), eve_(reading.join, sink) {}

  struct Outcome {
    std::uint64_t used = 0;   // lines of any kind
    std::uint64_t flows = 0;  // of these, connections
    BadLines bad;
  };
  // Changes the chunk's bytes.
  Outcome parse(const Sniffed& content, LogPass pass, LineChunk& chunk,
                const ScannedChunk& scanned);

 private:
  ZeekRows rows_;
  SuricataRows eve_;
  LogRow row_;
  JsonRecord record_;
};

}  // namespace beaconry
