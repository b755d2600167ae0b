#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace beaconry {

// What a list shows of a beacon: a tenth of its verdict.
struct BeaconRow {
  std::string identity;
  std::string src_ip, src_name, dst_ip, server_name, dst_name, protocol;
  std::string dst_ips;  // of a named pair, with a blank between
  std::uint16_t dst_port = 0;
  double score = 0, interval_seconds = 0;
  int severity = 0;  // 0 LOW ... 3 CRITICAL
  std::uint64_t check_ins = 0;
  Timestamp first_seen{}, last_seen{};
  bool is_beacon = true, gone = false;
  std::string ours, summary;

  // All but identity, score, severity, is_beacon and gone, as one text; and from one. Nothing if it
  // is none.
  std::string to_text() const;
  bool read(std::string_view text);
  // The same out of the JSON of a verdict, as far as it says.
  void read_verdict(const std::string& json);
};

// All beacons in memory as the list shows them, so that a hundred thousand are sorted, filtered and
// paged without the database. One caller at a time.
class BeaconList {
 public:
  enum class Order : std::uint8_t {
    score,
    severity,
    source,
    destination,
    interval,
    check_ins,
    first,
    last
  };
  static std::optional<Order> parse_order(std::string_view word);  // "check_ins"

  void put(BeaconRow row);
  void remove(const std::string& identity);
  void clear();
  const BeaconRow* find(const std::string& identity) const;
  std::size_t size() const { return rows_.size(); }

  struct Query {
    Order order = Order::score;
    bool ascending = false;
    bool with_gone = false;
    double least_score = 0;
    int least_severity = 0;
    std::string words;                // each, whatever its case, somewhere in what is shown
    std::string source, destination;  // address or name; of a named pair any of its addresses
    std::function<bool(const std::string& identity)> fits;  // unset: all
    std::size_t first = 0, limit = 100;
  };
  struct Page {
    std::vector<BeaconRow> rows;
    std::size_t total = 0;  // all that match
  };
  Page page(const Query& query);

 private:
  const std::vector<const BeaconRow*>& sorted(Order order);

  std::map<std::string, BeaconRow, std::less<>> rows_;
  std::map<Order, std::vector<const BeaconRow*>>
      sorted_;  // greatest first; until something changes
};

}  // namespace beaconry
