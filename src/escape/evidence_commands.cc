#include "escape/evidence_commands.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/text.h"
#include "escape/evidence_report.h"

namespace beaconry {
namespace {

constexpr int kDone = 0, kFailed = 1, kUsage = 2, kUnfinished = 4;

void complain(const Error& error) {
  std::fprintf(stderr, "%s\n", terminal_safe(error.message()).c_str());
}

int finish(int status) {
  return std::fflush(stdout) == 0 ? status : kFailed;
}

// None: it was complained of.
std::optional<std::vector<Key32>> read_keys(const EvidenceArguments& arguments) {
  std::vector<Key32> keys;
  for (const std::string& text : arguments.keys) {
    const auto key = parse_key(text);
    if (!key) {
      std::fputs("--key: must be 64 hex digits, as 'beaconry probes list' shows them\n", stderr);
      return std::nullopt;
    }
    keys.push_back(*key);
  }
  return keys;
}

Result<EvidenceReport> verify_by(const std::string& file, const std::vector<Key32>& keys) {
  auto report = verify_evidence(file, nullptr);
  if (report && !keys.empty() &&
      std::find(keys.begin(), keys.end(), report->sign_public) == keys.end()) {
    return fail(
        ErrorKind::malformed, "verify", file,
        "it is signed by key " + to_hex(report->sign_public) + ", which is none of those expected");
  }
  return report;
}

}  // namespace

int verify_command(const EvidenceArguments& arguments) {
  const auto keys = read_keys(arguments);
  if (!keys) return kUsage;
  int status = kDone;
  for (const std::string& file : arguments.files) {
    const auto report = verify_by(file, *keys);
    if (!report) {
      complain(report.error());
      status = kFailed;
      continue;
    }
    std::fputs(verified_text(file, *report).c_str(), stdout);
    if (is_unfinished(*report) && status == kDone) status = kUnfinished;
  }
  return finish(status);
}

int report_command(const EvidenceArguments& arguments) {
  const auto keys = read_keys(arguments);
  if (!keys) return kUsage;
  std::vector<EvidenceReport> reports;
  for (const std::string& file : arguments.files) {
    auto report = verify_by(file, *keys);
    if (!report) {
      complain(report.error());
      return kFailed;
    }
    if (keys->empty()) {
      std::fprintf(stderr,
                   "%s: signed by the key that it names itself, %s; compare it with 'beaconry "
                   "probes list', or say --key\n",
                   terminal_safe(file).c_str(), to_hex(report->sign_public).c_str());
    }
    reports.push_back(std::move(*report));
  }
  std::string text;
  if (arguments.json) {
    text = coverage_json(reports);
  } else if (arguments.matrix) {
    text = matrix_text(reports);
  } else {
    for (const EvidenceReport& report : reports)
      text += (text.empty() ? "" : "\n") + coverage_text(report);
    bool any_heard = false;
    for (const EvidenceReport& report : reports)
      any_heard = any_heard || !report.heard.empty();
    if (any_heard) text += '\n' + matrix_text(reports);
  }
  std::fputs(text.c_str(), stdout);
  return finish(kDone);
}

}  // namespace beaconry
