#pragma once
#include <cstddef>
#include <span>

#include "source/flow_join.h"
#include "source/inputs.h"
#include "source/read.h"

namespace beaconry {

// Which rows a reading is for. A file with both is read twice, names first, if it can be.
enum class LogPass : std::uint8_t { names, flows, all };

struct LogReading {
  const ReadOptions& options;
  std::span<FlowSink* const> sinks;  // one thread each
  ReadReport& report;
  FlowJoin& join;
  // How much of a file a thread takes at once. Small ones are for tests of the borders.
  std::size_t chunk_bytes = std::size_t{512} << 10;
};

// Reads `inputs`, which are logs, with a thread for every sink and one more for each that has to be
// decompressed meanwhile. With `in_order` each input is read by one thread from first line to last,
// as rows that depend on earlier ones need it; else plain files are cut into chunks that all
// threads share. Returns when all is read.
void read_logs(const LogReading& reading, LogPass pass, bool in_order, std::span<Input*> inputs);

}  // namespace beaconry
