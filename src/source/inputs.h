#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/byte_stream.h"
#include "source/log_row.h"
#include "source/read_report.h"

namespace beaconry {

enum class InputFormat : std::uint8_t { unknown, empty, capture, zeek_tsv, zeek_json, eve };

// What the beginning of an input tells of it.
struct Sniffed {
  InputFormat format = InputFormat::unknown;
  bool has_flows = false;  // Zeek's conn rows, Suricata's flow records
  bool has_names = false;  // rows to be read before those: names of flows or hosts, open flows
  bool has_open_flows = false;
  LogKind kind = LogKind::other;  // of a Zeek log: of its first rows
  std::string zeek_path;          // "conn", "x509"; empty where the log does not say
};

constexpr std::size_t kSniffBytes = std::size_t{64} << 10;

// `start` is the first kSniffBytes of the content, or all of it; `path` gives the file name, which
// counts only where content leaves the kind of a Zeek log open.
Sniffed sniff(std::string_view start, std::string_view path);

// One input that can be used.
struct Input {
  std::string path;
  Sniffed content;
  std::uint64_t size = 0;              // as stored; 0 where unknown
  bool plain = false;                  // a regular file, not compressed: can be read at any offset
  std::unique_ptr<ByteStream> stream;  // holds what can't be opened twice: FIFOs, standard input
};

// A stream over the decompressed content of `input` from its start. For inputs with `stream` this
// takes it: only the first call gives something.
std::unique_ptr<ByteStream> open_input(Input& input, ReadReport* progress);

// Finds what `paths` name: files, folders with all below them (sorted, without hidden names, no
// folder twice, links followed), "-" for standard input. A file that several names lead to is used
// once. What can't be used goes into the report: as failed if it was named itself, else as refused.
// Zeek logs of kinds that hold nothing needed are left out without a word, unless nothing is left.
std::vector<Input> find_inputs(std::span<const std::string> paths, ReadReport& report);

}  // namespace beaconry
