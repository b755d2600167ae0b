#include "control/beacon_list.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::array<std::string_view, 8> kOrders{"score",    "severity",  "source", "destination",
                                                  "interval", "check_ins", "first",  "last"};
constexpr std::size_t kFields = 13;

// Names come from the network: what separates fields is not part of one.
std::string field(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return text;
}

std::string_view name_of_source(const BeaconRow& row) {
  return row.src_name.empty() ? row.src_ip : row.src_name;
}
std::string_view name_of_destination(const BeaconRow& row) {
  return !row.server_name.empty() ? row.server_name
         : !row.dst_name.empty()  ? row.dst_name
                                  : row.dst_ip;
}

// Less than 0 where `a` comes first: greatest first.
int compare(BeaconList::Order order, const BeaconRow& a, const BeaconRow& b) {
  const auto by = [](const auto& x, const auto& y) { return x > y ? -1 : x < y ? 1 : 0; };
  using Order = BeaconList::Order;
  switch (order) {
    case Order::score:
      return by(a.score, b.score);
    case Order::severity:
      return a.severity != b.severity ? by(a.severity, b.severity) : by(a.score, b.score);
    case Order::source:
      return by(name_of_source(a), name_of_source(b));
    case Order::destination:
      return by(name_of_destination(a), name_of_destination(b));
    case Order::interval:
      return by(a.interval_seconds, b.interval_seconds);
    case Order::check_ins:
      return by(a.check_ins, b.check_ins);
    case Order::first:
      return by(a.first_seen, b.first_seen);
    case Order::last:
      return by(a.last_seen, b.last_seen);
  }
  return 0;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool contains(std::string_view text, std::string_view word) {  // word: in lower case
  return std::search(text.begin(), text.end(), word.begin(), word.end(),
                     [](char a, char b) { return lower(a) == b; }) != text.end();
}

bool says(const BeaconRow& row, std::string_view word) {
  for (const std::string* text : {&row.identity, &row.src_name, &row.dst_ip, &row.server_name,
                                  &row.dst_name, &row.dst_ips, &row.summary}) {
    if (contains(*text, word)) return true;
  }
  return false;
}

bool calls(const BeaconRow& row, const std::string& destination) {
  if (row.dst_ip == destination || row.server_name == destination || row.dst_name == destination) {
    return true;
  }
  const auto all = split(row.dst_ips, ' ');
  return std::find(all.begin(), all.end(), destination) != all.end();
}

}  // namespace

std::string BeaconRow::to_text() const {
  std::array<char, 32> interval{};
  std::snprintf(interval.data(), interval.size(), "%.6f", interval_seconds);
  std::string text = interval.data();
  for (const auto number : {check_ins, std::uint64_t{dst_port}})
    text += '\t' + std::to_string(number);
  for (const Timestamp time : {first_seen, last_seen})
    text += '\t' + std::to_string(time.time_since_epoch().count());
  for (const std::string* one :
       {&src_ip, &src_name, &dst_ip, &server_name, &dst_name, &protocol, &dst_ips, &ours})
    text += '\t' + field(*one);
  return text + '\t' + field(summary);
}

bool BeaconRow::read(std::string_view text) {
  const auto words = split(text, '\t');
  if (words.size() != kFields + 1) return false;
  const auto interval = parse_number(words[0]);
  const auto check = parse_unsigned(words[1]), port = parse_unsigned(words[2]),
             first = parse_unsigned(words[3]), last = parse_unsigned(words[4]);
  if (!interval || !check || !port || !first || !last) return false;
  interval_seconds = *interval;
  check_ins = *check;
  dst_port = static_cast<std::uint16_t>(*port);
  first_seen = Timestamp{Duration{static_cast<std::int64_t>(*first)}};
  last_seen = Timestamp{Duration{static_cast<std::int64_t>(*last)}};
  std::size_t at = 5;
  for (std::string* one :
       {&src_ip, &src_name, &dst_ip, &server_name, &dst_name, &protocol, &dst_ips, &ours, &summary})
    *one = std::string(words[at++]);
  return true;
}

void BeaconRow::read_verdict(const std::string& json) {
  const auto verdict = nlohmann::json::parse(json, nullptr, false);
  if (!verdict.is_object()) return;
  const auto text = [](const nlohmann::json& in, const char* key) {
    const auto at = in.find(key);
    return at != in.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const auto count = [&](const char* key) {
    const auto at = verdict.find(key);
    return at != verdict.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
  };
  const auto time = [&](const char* key) {
    return parse_rfc3339(text(verdict, key)).value_or(Timestamp{});
  };
  src_ip = text(verdict, "src_ip");
  src_name = text(verdict, "src_name");
  dst_ip = text(verdict, "dst_ip");
  server_name = text(verdict, "server_name");
  dst_name = text(verdict, "dst_name");
  protocol = text(verdict, "protocol");
  ours = text(verdict, "ours");
  dst_port = static_cast<std::uint16_t>(count("dst_port"));
  check_ins = count("check_ins");
  first_seen = time("first_seen");
  last_seen = time("last_seen");
  dst_ips.clear();
  if (const auto all = verdict.find("dst_ips"); all != verdict.end() && all->is_array()) {
    for (const auto& one : *all) {
      if (one.is_string()) dst_ips += (dst_ips.empty() ? "" : " ") + one.get<std::string>();
    }
  }
  if (const auto why = verdict.find("explanation"); why != verdict.end() && why->is_object()) {
    summary = text(*why, "summary");
    const auto interval = why->find("detected_interval_seconds");
    if (interval != why->end() && interval->is_number()) {
      interval_seconds = interval->get<double>();
    }
  }
}

std::optional<BeaconList::Order> BeaconList::parse_order(std::string_view word) {
  const auto at = std::find(kOrders.begin(), kOrders.end(), word);
  if (at == kOrders.end()) return std::nullopt;
  return static_cast<Order>(at - kOrders.begin());
}

void BeaconList::put(BeaconRow row) {
  sorted_.clear();
  std::string identity = row.identity;
  rows_.insert_or_assign(std::move(identity), std::move(row));
}

void BeaconList::remove(const std::string& identity) {
  sorted_.clear();
  rows_.erase(identity);
}

void BeaconList::clear() {
  sorted_.clear();
  rows_.clear();
}

const BeaconRow* BeaconList::find(const std::string& identity) const {
  const auto at = rows_.find(identity);
  return at == rows_.end() ? nullptr : &at->second;
}

const std::vector<const BeaconRow*>& BeaconList::sorted(Order order) {
  auto& all = sorted_[order];
  if (all.size() == rows_.size()) return all;
  all.clear();
  all.reserve(rows_.size());
  for (const auto& [identity, row] : rows_)
    all.push_back(&row);
  // By identity already, which decides between equals.
  std::stable_sort(all.begin(), all.end(), [&](const BeaconRow* a, const BeaconRow* b) {
    return compare(order, *a, *b) < 0;
  });
  return all;
}

BeaconList::Page BeaconList::page(const Query& query) {
  const auto& all = sorted(query.order);
  const std::string lowered = ascii_lower(query.words);
  std::vector<std::string_view> words;
  for (const std::string_view word : split(lowered, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  const auto fits = [&](const BeaconRow& row) {
    if (!query.with_gone && (!row.is_beacon || row.gone)) return false;
    if (row.score < query.least_score || row.severity < query.least_severity) return false;
    if (!query.source.empty() && row.src_ip != query.source && row.src_name != query.source) {
      return false;
    }
    if (!query.destination.empty() && !calls(row, query.destination)) return false;
    if (query.fits && !query.fits(row.identity)) return false;
    return std::all_of(words.begin(), words.end(),
                       [&](std::string_view word) { return says(row, word); });
  };
  Page page;
  const auto take = [&](const BeaconRow& row) {
    if (!fits(row)) return;
    if (page.total >= query.first && page.rows.size() < query.limit) page.rows.push_back(row);
    ++page.total;
  };
  if (query.ascending) {
    for (auto at = all.rbegin(); at != all.rend(); ++at)
      take(**at);
  } else {
    for (const BeaconRow* row : all)
      take(*row);
  }
  return page;
}

}  // namespace beaconry
