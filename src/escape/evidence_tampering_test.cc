#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sstream>

#include "escape/evidence_chain.h"
#include "escape/test_evidence_file.h"

// Whoever changes a probe's record is found out.
namespace beaconry {
namespace {

using test::EvidenceFile;
using test::is_whole;
using test::write_usual;
using testing::HasSubstr;

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines)
    text += line + '\n';
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

struct Tampering : testing::Test {
  Tampering() { file.put(usual()); }
  // Written once: the disk is slow.
  static const std::string& usual() {
    static const std::string text = [] {
      const EvidenceFile written;
      write_usual(written);
      return written.text();
    }();
    return text;
  }
  EvidenceFile file;
};

RC_GTEST_FIXTURE_PROP(Tampering, OfAnyByteIsFound, ()) {
  std::string text = file.text();
  RC_PRE(is_whole(file));
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  const auto byte = *rc::gen::distinctFrom(rc::gen::arbitrary<char>(), text[at]);
  text[at] = byte;
  file.put(text);
  RC_ASSERT(!is_whole(file));
}

RC_GTEST_FIXTURE_PROP(Tampering, OfAnyLineIsFound, ()) {
  std::vector<std::string> lines = lines_of(file.text());
  const auto before = lines;
  const auto from = *rc::gen::inRange<std::size_t>(0, lines.size());
  const auto to = *rc::gen::inRange<std::size_t>(0, lines.size());
  const auto at = [&](std::size_t i) { return lines.begin() + static_cast<std::ptrdiff_t>(i); };
  switch (*rc::gen::inRange(0, 3)) {
    case 0:
      lines.erase(at(from));
      break;
    case 1:
      lines.insert(at(to), before[from]);
      break;
    default:
      std::swap(lines[from], lines[to]);
  }
  RC_PRE(lines != before);
  file.put(joined(lines));
  RC_ASSERT(!is_whole(file));
}

RC_GTEST_FIXTURE_PROP(Tampering, OfTheEndIsFound, ()) {
  const std::string text = file.text();
  file.put(text.substr(0, *rc::gen::inRange<std::size_t>(0, text.size())));
  RC_ASSERT(!is_whole(file));
}

TEST_F(Tampering, WithLinesThatFollowIsFoundByTheSignature) {
  // Whoever knows the format can make checks, but not signatures.
  auto lines = lines_of(file.text());
  EvidenceChain chain(lines[0]);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::string text = lines[i].substr(9);
    if (const auto port = text.find("targets=53,443"); port != text.npos) text[port + 9] = '4';
    lines[i] = chain.add(text) + ' ' + text;
  }
  file.put(joined(lines));
  const auto report = verify_evidence(file.path(), nullptr);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message(), HasSubstr("signature"));
}

}  // namespace
}  // namespace beaconry
