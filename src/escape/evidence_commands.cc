#include "escape/evidence_commands.h"

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

}  // namespace

int verify_command(const EvidenceArguments& arguments) {
  std::optional<Key32> key;
  if (!arguments.key.empty()) {
    const auto read = parse_key(arguments.key);
    if (!read) {
      std::fputs("--key: must be 64 hex digits, as 'beaconry probes list' shows them\n", stderr);
      return kUsage;
    }
    key = *read;
  }
  int status = kDone;
  for (const std::string& file : arguments.files) {
    const auto report = verify_evidence(file, key ? &*key : nullptr);
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
  std::vector<EvidenceReport> reports;
  for (const std::string& file : arguments.files) {
    auto report = verify_evidence(file, nullptr);
    if (!report) {
      complain(report.error());
      return kFailed;
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
