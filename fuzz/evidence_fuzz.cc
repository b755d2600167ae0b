// Whatever the bytes: a report, or an error; and lines that follow from each other, as whoever
// knows the format can make them, are taken or refused with their number.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "escape/evidence_chain.h"

namespace {

void verify_file(std::string_view bytes) {
  using namespace beaconry;
  const int file = ::memfd_create("evidence", MFD_CLOEXEC);
  if (file < 0 || ::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    std::abort();
  }
  (void)verify_evidence("/proc/self/fd/" + std::to_string(file), nullptr);
  ::close(file);
}

void take_lines(std::string_view texts) {
  using namespace beaconry;
  const EvidenceHeader header{"p", {}, {}, {}};
  EvidenceVerifier verifier;
  if (!verifier.take(header.to_line())) std::abort();
  EvidenceChain chain(header.to_line());
  for (const std::string_view text : split(texts, '\n')) {
    const std::string check = chain.add(text);
    if (auto taken = verifier.take(check + ' ' + std::string(text)); !taken) {
      if (!taken.error().subject.starts_with("line ")) std::abort();
      return;
    }
  }
  const EvidenceTally& tally = verifier.tally();
  EvidenceTally again;
  for (const std::string& line : tally.to_summary({}, Timestamp{})) {
    const auto entry = EvidenceEntry::parse(line);
    if (!entry || !again.take(*entry)) std::abort();
  }
  if (again.report().rows != tally.report().rows) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes[0] == 'b') {
    verify_file(bytes);
  } else {
    take_lines(bytes);
  }
  return 0;
}
