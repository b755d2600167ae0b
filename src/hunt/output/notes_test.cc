#include "hunt/output/notes.h"

#include <gtest/gtest.h>

#include "hunt/output/output_fixture_test.h"

namespace beaconry {
namespace {

const Timestamp kNow = *parse_rfc3339("2026-11-21T08:00:00Z");

std::vector<Note> notes(const std::string& text) {
  auto result = parse_notes(text, "notes.yaml");
  EXPECT_TRUE(result) << result.error().message();
  return result ? *result : std::vector<Note>{};
}

std::string error(const std::string& text) {
  const auto result = parse_notes(text, "notes.yaml");
  return result ? "no error" : result.error().message();
}

ScoredPair pair_to(const char* key, const char* name = "") {
  ScoredPair pair;
  pair.key = *PairKey::parse(key);
  pair.server_name = name;
  return pair;
}

TEST(PairPattern, MatchesAsPeopleExpect) {
  struct Case {
    const char *pattern, *key, *name;
    bool match;
  };
  const char* key = "10.0.0.5->203.0.113.9:443/TCP";
  const char* key6 = "[2001:db8::1]->[2001:db8::2]:443/TCP";
  const Case cases[] = {
      {"10.0.0.5->203.0.113.9:443/TCP", key, "", true},
      {"10.0.0.5->203.0.113.9:443/UDP", key, "", false},
      {"10.0.0.5->203.0.113.9:80/TCP", key, "", false},
      {"10.0.0.6->203.0.113.9:443/TCP", key, "", false},
      {"*->203.0.113.9:*", key, "", true},
      {"*->203.0.113.0/24:*/tcp", key, "", true},
      {"10.0.0.0/8->*:443", key, "", true},
      {"*->*:*/*", key, "", true},
      {"10.0.0.5->*.example.com:443/TCP", key, "a.b.example.com", true},
      {"10.0.0.5->*.example.com:443/TCP", key, "example.com", false},
      {"10.0.0.5->*.example.com:443/TCP", key, "badexample.com", false},
      {"10.0.0.5->EXAMPLE.com.:443/TCP", key, "example.com", true},
      {"10.0.0.5->*.example.com:443/TCP", key, "", false},
      {"*->*.example.com:*", key, "x.example.com.evil.tld", false},
      {"[2001:db8::1]->[2001:db8::2]:443/TCP", key6, "", true},
      {"2001:db8::/32->[2001:db8::2]:443/TCP", key6, "", true},
  };
  for (const Case& c : cases) {
    const auto pattern = PairPattern::parse(c.pattern);
    ASSERT_TRUE(pattern) << c.pattern;
    EXPECT_EQ(pattern->matches(pair_to(c.key, c.name), true), c.match) << c.pattern << c.name;
  }
}

TEST(PairPattern, RefusesWhatIsNoPair) {
  for (const char* text : {"", "10.0.0.5", "10.0.0.5->", "10.0.0.5->203.0.113.9",
                           "10.0.0.5->203.0.113.9:", "10.0.0.5->203.0.113.9:70000",
                           "10.0.0.5->203.0.113.9:443/XYZ", "pc7->203.0.113.9:443",
                           "10.0.0.5->2001:db8::2:443", "10.0.0.5->a b:443", "10.0.0.5->:443"}) {
    EXPECT_FALSE(PairPattern::parse(text)) << text;
  }
}

TEST(PairPattern, AnAllClearForOneAddressIsNoneForARotatingName) {
  const HuntReport report = sample_report();
  const ScoredPair& named = report.pairs[0];
  const auto one = PairPattern::parse("*->203.0.113.50:*");
  EXPECT_FALSE(one->matches(named, true));
  EXPECT_TRUE(one->matches(named, false));
  EXPECT_TRUE(PairPattern::parse("*->203.0.113.0/24:*")->matches(named, true));
}

TEST(Notes, BenignHidesWithItsReasonAndOthersAnnotate) {
  HuntReport report = sample_report();
  apply_notes(notes("- pair: \"10.0.0.100->cdn.evil.tld:443/TCP\"\n"
                    "  decision: benign\n"
                    "  because: own CDN health check\n"
                    "  by: kim\n"
                    "- {pair: '*->[2001:db8:ffff::1]:*', decision: watch, because: new router}\n"
                    "- {pair: '*->update.example.com:*', decision: benign, because: updater}\n"),
              kNow, report);
  EXPECT_EQ(report.pairs[0].hidden, Hidden::triaged);
  EXPECT_EQ(report.pairs[0].hidden_reason, "benign: own CDN health check (kim)");
  EXPECT_EQ(report.pairs[1].hidden, Hidden::no);
  EXPECT_EQ(report.pairs[1].note, "watch: new router");
  EXPECT_EQ(report.pairs[2].hidden, Hidden::below_score);  // what hid it first, stays
  EXPECT_EQ(report.pairs[2].note, "benign: updater");
}

TEST(Notes, OneWarningOutweighsAnyAllClear) {
  HuntReport report = sample_report();
  apply_notes(notes("- {pair: '*->*:*', decision: malicious, because: seen before}\n"
                    "- {pair: '*->*:*', decision: benign, because: noise}\n"),
              kNow, report);
  EXPECT_EQ(report.pairs[0].hidden, Hidden::no);
  EXPECT_EQ(report.pairs[0].note, "malicious: seen before");
}

TEST(Notes, ExpiredOnesDoNotApplyAndAreTold) {
  HuntReport report = sample_report();
  apply_notes(notes("- {pair: '*->*:*', decision: benign, because: test, until: 2026-11-20}\n"),
              kNow, report);
  EXPECT_EQ(report.pairs[0].hidden, Hidden::no);
  ASSERT_EQ(report.remarks.size(), 1U);
  EXPECT_NE(report.remarks[0].find("line 1"), std::string::npos);
  EXPECT_NE(report.remarks[0].find("expired on 2026-11-21T00:00:00"), std::string::npos);
  // The day that is named is included; so is the second before a time.
  for (const char* until : {"2026-11-21", "'2026-11-21T08:00:01Z'"}) {
    HuntReport again = sample_report();
    apply_notes(notes(std::string("- {pair: '*->*:*', decision: benign, because: t, until: ") +
                      until + "}\n"),
                kNow, again);
    EXPECT_EQ(again.pairs[0].hidden, Hidden::triaged) << until;
  }
}

TEST(Notes, ErrorsNameLineAndRemedy) {
  EXPECT_EQ(error("- pair: '*->*:*'\n  decision: benign\n  becuase: x\n"),
            "read notes notes.yaml: line 3: a note has no \"becuase\"; did you mean \"because\"?");
  EXPECT_EQ(error("- pair: '*->*:*'\n  decision: good\n  because: x\n"),
            "read notes notes.yaml: line 2: decision \"good\" is none of benign, watch, malicious");
  EXPECT_NE(error("- pair: 10.0.0.5\n").find("line 1: \"10.0.0.5\" is no pair; write"),
            std::string::npos);
  EXPECT_NE(error("- pair: '*->*:*'\n  decision: benign\n").find("has no \"because\""),
            std::string::npos);
  EXPECT_NE(
      error("- {pair: '*->*:*', decision: watch, because: x, until: soon}").find("2026-12-31"),
      std::string::npos);
  EXPECT_NE(error("- {pair: '*->*:*', pair: '*->*:*'}").find("twice"), std::string::npos);
  EXPECT_NE(error("pair: x\n").find("must be a list"), std::string::npos);
  EXPECT_NE(error("- [1, 2]\n").find("a note is a map"), std::string::npos);
  EXPECT_NE(error("- [x\n").find("no YAML"), std::string::npos);
  EXPECT_NE(error("- {pair: '*->*:*', decision: watch, because: [x]}").find("must be a text"),
            std::string::npos);
  EXPECT_NE(error("- {\"k\\e[31m\": 1}").find("\\x1b"), std::string::npos);
}

TEST(Notes, AnEmptyFileHasNoNotes) {
  EXPECT_TRUE(notes("").empty());
  EXPECT_TRUE(notes("# nothing yet\n").empty());
  const auto missing = read_notes("/nonexistent/notes.yaml");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find("/nonexistent/notes.yaml"), std::string::npos);
}

}  // namespace
}  // namespace beaconry
