#include "source/log_parser.h"

#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace beaconry {
namespace {

// Calls line(text, line number, whether a newline ended it) for each line. Line ends, also CRLF,
// are not part of the text.
template <class Line>
void each_line(char* data, std::size_t begin, std::size_t end, std::uint64_t number, Line&& line) {
  while (begin < end) {
    const void* found = std::memchr(data + begin, '\n', end - begin);
    const std::size_t stop =
        found == nullptr ? end : static_cast<std::size_t>(static_cast<const char*>(found) - data);
    std::size_t size = stop - begin;
    if (size > 0 && data[stop - 1] == '\r') --size;
    line(data + begin, size, number++, found != nullptr);
    begin = stop + 1;
  }
}

bool wanted(LogPass pass, LogKind kind) {
  if (kind == LogKind::other) return false;
  if (pass == LogPass::all) return true;
  // Rows of unfinished flows are known before the finished ones, like names.
  return (pass == LogPass::flows) == (kind == LogKind::conn);
}

BadLine missing_column(Field field) {
  switch (field) {
    case Field::ts:
      return BadLine::no_ts;
    case Field::orig_h:
      return BadLine::no_orig_h;
    case Field::resp_h:
      return BadLine::no_resp_h;
    case Field::resp_p:
      return BadLine::no_resp_p;
    default:
      return BadLine::no_proto;
  }
}

// What a JSON record lacks that its row needs.
BadLine missing_value(LogKind kind, const LogRow& row) {
  if (row[Field::ts].empty()) return BadLine::no_ts;
  if (kind == LogKind::dhcp) return BadLine::none;
  for (const Field field : {Field::orig_h, Field::resp_h, Field::resp_p}) {
    if (row[field].empty()) return missing_column(field);
  }
  return has_flows(kind) && row[Field::proto].empty() ? BadLine::no_proto : BadLine::none;
}

// Eve records are many and each is parsed in one pass only: what says "flow" nowhere isn't one.
bool may_be_flow(std::string_view line) {
  return line.find("\"flow\"") != std::string_view::npos;
}

}  // namespace

std::uint64_t count_newlines(std::string_view text) {
  std::uint64_t count = 0;
  std::size_t at = 0;
#if defined(__SSE2__)
  const __m128i newline = _mm_set1_epi8('\n');
  const __m128i zero = _mm_setzero_si128();
  while (at + 16 <= text.size()) {
    __m128i sums = zero;  // a byte a lane overflows after 255 rounds
    for (int round = 0; round < 255 && at + 16 <= text.size(); ++round, at += 16) {
      const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
      sums = _mm_sub_epi8(sums, _mm_cmpeq_epi8(block, newline));
    }
    const __m128i wide = _mm_sad_epu8(sums, zero);
    count += static_cast<std::uint64_t>(_mm_cvtsi128_si64(wide)) +
             static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_srli_si128(wide, 8)));
  }
#endif
  for (; at < text.size(); ++at)
    count += text[at] == '\n' ? 1 : 0;
  return count;
}

ScannedChunk scan_chunk(InputFormat format, const LineChunk& chunk, LogPosition& position) {
  ScannedChunk scanned;
  scanned.first_line = position.lines + 1;
  const std::string_view text(chunk.buffer.data() + chunk.begin, chunk.end - chunk.begin);
  scanned.lines = count_newlines(text) + (!text.empty() && text.back() != '\n' ? 1 : 0);
  position.lines += scanned.lines + (chunk.too_long ? 1 : 0);
  if (format != InputFormat::zeek_tsv) return scanned;
  scanned.headers.emplace_back(chunk.begin, position.header.header());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '#') {
      auto end = text.find('\n', at);
      if (end == std::string_view::npos) end = text.size();
      std::string_view line = text.substr(at, end - at);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (position.header.add(line)) {
        scanned.headers.emplace_back(chunk.begin + at, position.header.header());
      }
      at = end + 1;
      continue;
    }
    // '#' is rare enough in rows that looking for it alone is the fastest way to the next header.
    const auto next = text.find('#', at + 1);
    if (next == std::string_view::npos) break;
    at = next;
    if (text[at - 1] != '\n') {
      const auto end = text.find('\n', at);
      if (end == std::string_view::npos) break;
      at = end + 1;
    }
  }
  return scanned;
}

LogParser::Outcome LogParser::parse(const Sniffed& content, LogPass pass, LineChunk& chunk,
                                    const ScannedChunk& scanned) {
  Outcome outcome;
  const std::uint64_t flows_before = rows_.flows() + eve_.flows();
  std::uint64_t line_number = scanned.first_line;
  char* data = chunk.buffer.data();
  const auto judge = [&](BadLine bad, std::uint64_t number, bool ended) {
    if (bad == BadLine::none) {
      ++outcome.used;
    } else {
      // Only a file's last line can lack a newline.
      if (!ended && bad != BadLine::memory_limit) bad = BadLine::incomplete;
      outcome.bad.add(bad, number);
    }
  };
  // Of a file that is read twice, what belongs to neither reading counts in the first.
  const bool first_reading = pass != LogPass::flows || !content.has_names;
  const auto too_long = [&](std::size_t size, std::uint64_t number) {
    if (size > kLongestLine && first_reading) outcome.bad.add(BadLine::too_long, number);
    return size > kLongestLine;
  };

  if (content.format == InputFormat::zeek_tsv) {
    for (std::size_t i = 0; i < scanned.headers.size(); ++i) {
      const std::size_t begin = scanned.headers[i].first;
      const std::size_t end =
          i + 1 < scanned.headers.size() ? scanned.headers[i + 1].first : chunk.end;
      const ZeekHeader* header = scanned.headers[i].second.get();
      row_.clear();
      const bool use = header != nullptr && wanted(pass, header->kind) && !header->missing;
      each_line(data, begin, end, line_number,
                [&](const char* text, std::size_t size, std::uint64_t number, bool ended) {
                  line_number = number + 1;
                  if (size == 0 || text[0] == '#' || too_long(size, number)) return;
                  if (use) {
                    const std::string_view line(text, size);
                    judge(split_zeek_row(*header, line, row_) ? rows_.add(header->kind, row_)
                                                              : BadLine::too_few_columns,
                          number, ended);
                  } else if (header == nullptr && first_reading) {
                    outcome.bad.add(BadLine::no_header, number);
                  } else if (header != nullptr && header->missing && wanted(pass, header->kind)) {
                    outcome.bad.add(missing_column(*header->missing), number);
                  }
                });
    }
  } else {
    each_line(data, chunk.begin, chunk.end, line_number,
              [&](char* text, std::size_t size, std::uint64_t number, bool ended) {
                if (size == 0 || too_long(size, number)) return;
                if (content.format == InputFormat::eve) {
                  const bool flow = may_be_flow({text, size});
                  if (pass == LogPass::flows && !flow) return;
                  const bool parsed = record_.parse(text, size);
                  if (!parsed && pass == LogPass::names && flow) return;  // counted with the flows
                  if (!parsed) return judge(BadLine::not_json, number, ended);
                  const auto kind = eve_.kind_of(record_);
                  if (kind == EveKind::other) return;
                  if (pass != LogPass::all && (pass == LogPass::flows) != (kind == EveKind::flow)) {
                    return;
                  }
                  return judge(eve_.add(kind, record_), number, ended);
                }
                if (!record_.parse(text, size)) {
                  if (!first_reading) return;
                  return judge(BadLine::not_json, number, ended);
                }
                record_.fill(row_);
                LogKind kind = content.kind;
                if (!row_[Field::path].empty()) {
                  kind = log_kind_of_path(row_[Field::path]).value_or(LogKind::other);
                }
                if (!wanted(pass, kind)) return;
                const auto missing = missing_value(kind, row_);
                judge(missing == BadLine::none ? rows_.add(kind, row_) : missing, number, ended);
              });
  }
  if (chunk.too_long && first_reading) {
    outcome.bad.add(BadLine::too_long, scanned.first_line + scanned.lines);
  }
  outcome.flows = rows_.flows() + eve_.flows() - flows_before;
  return outcome;
}

}  // namespace beaconry
