#include "control/journal_record.h"

namespace beaconry {
namespace {

constexpr char kEnvelope = 'E', kPredecessor = 'P';

void put(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i)
    out += static_cast<char>(value >> (8 * i) & 0xff);
}

void put(std::string& out, std::string_view text) {
  put(out, std::uint64_t{text.size()});
  out += text;
}

struct Reader {
  std::string_view rest;
  bool good = true;

  std::uint64_t number() {
    if (rest.size() < 8) return good = false, 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
      value |= std::uint64_t{static_cast<std::uint8_t>(rest[i])} << (8 * i);
    rest.remove_prefix(8);
    return value;
  }
  std::string text() {
    const std::uint64_t size = number();
    if (size > rest.size()) return good = false, std::string();
    std::string value(rest.substr(0, size));
    rest.remove_prefix(size);
    return value;
  }
};

}  // namespace

std::string journal_record(std::string_view envelope) {
  std::string out;
  out.reserve(envelope.size() + 1);
  out += kEnvelope;
  out += envelope;
  return out;
}

std::string journal_record(const PredecessorRecord& record) {
  std::string out;
  out.reserve(record.content.size() + record.batch_id.size() + record.node_id.size() + 100);
  out += kPredecessor;
  put(out, record.batch_id);
  put(out, record.node_id);
  for (const std::uint64_t value :
       {record.digest[0], record.digest[1], record.events, record.invalid_events,
        record.dropped_ebpf, record.dropped_overflow})
    put(out, value);
  put(out, record.content);
  return out;
}

Result<std::variant<Envelope, PredecessorRecord>> read_journal_record(std::string_view bytes) {
  using Record = std::variant<Envelope, PredecessorRecord>;
  if (!bytes.empty() && bytes[0] == kEnvelope) {
    auto envelope = decode_envelope(bytes.substr(1));
    if (!envelope) return tl::unexpected<Error>(std::move(envelope.error()));
    return Record(std::move(*envelope));
  }
  if (!bytes.empty() && bytes[0] == kPredecessor) {
    Reader reader{bytes.substr(1)};
    PredecessorRecord record;
    record.batch_id = reader.text();
    record.node_id = reader.text();
    record.digest = {reader.number(), reader.number()};
    record.events = reader.number();
    record.invalid_events = reader.number();
    record.dropped_ebpf = reader.number();
    record.dropped_overflow = reader.number();
    record.content = reader.text();
    if (reader.good && reader.rest.empty()) return Record(std::move(record));
  }
  return fail(ErrorKind::malformed, "read", "journal record",
              "unknown layout; it is skipped. Was it written by a later version?");
}

}  // namespace beaconry
