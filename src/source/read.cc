#include "source/read.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/time.h"
#include "source/captures.h"
#include "source/flow_join.h"
#include "source/inputs.h"
#include "source/log_reader.h"

namespace beaconry {
namespace {

bool is_log(const Input& input) {
  return input.content.format != InputFormat::capture;
}

// Whether its rows are met in one reading, in the order of the file: all of what can't be read
// twice and has both flows and names.
bool read_once(const Input& input) {
  return input.stream && input.content.has_flows && input.content.has_names;
}

// The order in which logs tell of flows where no log of the flows themselves is there.
int names_first(const Input& input) {
  switch (input.content.kind) {
    case LogKind::http:
      return 0;
    case LogKind::ssl:
      return 1;
    default:
      return 2;
  }
}

template <class Wanted>
std::vector<Input*> those(std::vector<Input>& inputs, Wanted&& wanted) {
  std::vector<Input*> chosen;
  for (auto& input : inputs) {
    if (is_log(input) && wanted(input)) chosen.push_back(&input);
  }
  return chosen;
}

// Where more captures are there than are open at once, in the order of their first packets, so that
// none comes behind those that are read before it. What can't be opened twice is open all the time.
std::vector<std::unique_ptr<ByteStream>> open_captures(std::vector<Input>& inputs,
                                                       ReadReport& report) {
  std::vector<std::pair<Timestamp, Input*>> chosen;
  for (auto& input : inputs) {
    if (!is_log(input)) chosen.emplace_back(Timestamp::min(), &input);
  }
  if (chosen.size() > kMostCapturesOpen) {
    for (auto& [time, input] : chosen) {
      if (input->stream) continue;
      time = first_packet_time(open_input(*input, nullptr)).value_or(Timestamp::min());
    }
    std::stable_sort(chosen.begin(), chosen.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  std::vector<std::unique_ptr<ByteStream>> streams;
  streams.reserve(chosen.size());
  for (const auto& [time, input] : chosen)
    streams.push_back(open_input(*input, &report));
  return streams;
}

}  // namespace

void read_inputs(const ReadOptions& options, std::span<FlowSink* const> sinks, ReadReport& report) {
  if (sinks.empty()) return;
  auto inputs = find_inputs(options.paths, report);
  FlowJoin join(options.burst_gap, options.memory_limit);
  bool zeek_flows = false;
  for (const auto& input : inputs) {
    const std::uint64_t times =
        is_log(input) && input.content.has_flows && input.content.has_names ? 2 : 1;
    report.expect_bytes(input.size * times);
    const bool flows = input.content.has_flows || input.content.has_open_flows;
    zeek_flows |= flows && input.content.format != InputFormat::eve;
  }
  join.standalone = !zeek_flows;

  // Rows that stand for flows depend on which log is met first: then one thread reads, and http
  // before ssl before dns, for the one that says most is to open the flow.
  const LogReading reading{options, join.standalone ? sinks.first(1) : sinks, report, join};
  auto names = those(
      inputs, [](const Input& input) { return input.content.has_names && !read_once(input); });
  if (join.standalone) {
    std::stable_sort(names.begin(), names.end(), [](const Input* a, const Input* b) {
      return names_first(*a) < names_first(*b);
    });
  }
  read_logs(reading, LogPass::names, true, names);
  auto mixed = those(inputs, read_once);
  read_logs(reading, LogPass::all, true, mixed);
  auto flows = those(
      inputs, [](const Input& input) { return input.content.has_flows && !read_once(input); });
  const LogReading parallel{options, sinks, report, join};
  read_logs(parallel, LogPass::flows, false, flows);
  report.count_records(join.open.flush(join.names, *sinks.front()));

  auto captures = open_captures(inputs, report);
  if (!captures.empty()) read_captures(std::move(captures), options, *sinks.front(), report);
  for (FlowSink* sink : sinks)
    sink->settle();
}

}  // namespace beaconry
