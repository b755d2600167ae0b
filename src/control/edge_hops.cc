#include "control/edge_hops.h"

#include <initializer_list>
#include <nlohmann/json.hpp>

namespace beaconry {
namespace {

using Count = std::optional<std::uint64_t>;

// "packets.eth0" and "packets.eth1": summed over places.
class Totals {
 public:
  explicit Totals(const std::string& counters)
      : all_(nlohmann::json::parse(counters, nullptr, false)) {}

  Count operator()(std::initializer_list<std::string_view> names) const {
    Count sum;
    if (!all_.is_object()) return sum;
    for (const auto& [key, value] : all_.items()) {
      const std::string_view name = std::string_view(key).substr(0, key.find('.'));
      for (const std::string_view wanted : names) {
        if (name == wanted && value.is_number_unsigned()) {
          sum = sum.value_or(0) + value.get<std::uint64_t>();
        }
      }
    }
    return sum;
  }

 private:
  nlohmann::json all_;
};

}  // namespace

std::vector<LedgerHop> ledger_of(const Edges::Edge& edge) {
  const Totals total(edge.counters);
  std::vector<LedgerHop> hops;
  const auto add = [&](LedgerHop hop) {
    if (hop.count || hop.lost.value_or(0) > 0) hops.push_back(hop);
  };
  add({"capture", "packets seen", total({"packets"}), total({"kernel_drops", "ring_drops"}),
       "dropped by the kernel"});
  add({"flows", "flows followed", total({"flows"}), total({"table_full", "buffer_overflow"}),
       "turned away by a full table"});
  add({"observations", "observations made", total({"observations"}), total({"observations_lost"}),
       "lost before the spool"});
  add({"events", "events made", total({"events"}), total({"events_lost"}),
       "lost before the spool"});
  add({"instruments",
       "events of instruments",
       {},
       total({"events_refused"}),
       "refused by the sensor: too many"});
  const std::uint64_t sent = edge.batches + edge.missing;
  hops.push_back({"spool", "batches spooled", sent, edge.dropped, "dropped by a full spool"});
  hops.push_back({"way", "batches sent", sent, edge.unexplained, "missing without a reason"});
  hops.push_back(
      {"server", "batches received", edge.batches, edge.refused, "refused by this server"});
  hops.push_back({"kept", "events received", edge.events, {}, ""});
  return hops;
}

}  // namespace beaconry
