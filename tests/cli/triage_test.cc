// What hides, marks and configures: allow-lists, notes, earlier reports, the configuration file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "cli/folder.h"
#include "cli/program.h"
#include "cli/traffic.h"

namespace beaconry::cli {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class Triage : public testing::Test {
 protected:
  Triage() { write_day(small_network()); }
  void write_day(const Connections& network) const {
    folder_.write("day/conn.log", conn_log(network));
    folder_.write("day/ssl.log", ssl_log(network));
  }
  Ran hunt(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"hunt", folder_ / "day"});
    return beaconry(std::move(arguments));
  }
  // Identities shown by default.
  std::vector<std::string> shown(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--format", "ndjson"});
    const Ran ran = hunt(std::move(arguments));
    EXPECT_EQ(ran.status, 0) << ran.err;
    std::vector<std::string> identities;
    for (const json& pair : objects_in(ran.out))
      identities.push_back(pair.at("identity"));
    return identities;
  }
  json pair_with(std::vector<std::string> arguments, const char* identity) const {
    arguments.insert(arguments.begin(), folder_ / "day");
    return hunt_all(std::move(arguments)).pair(identity);
  }

  TestFolder folder_;
};

TEST_F(Triage, HidesWhatAnAllowEntryCoversAndSaysWhich) {
  ASSERT_THAT(shown({}), Contains(kImplant));
  for (const char* entry :
       {"203.0.113.50", "203.0.113.48/29", "10.0.0.13", "src=10.0.0.13", "dst=203.0.113.50",
        "203.0.113.50:443", "10.0.0.13:203.0.113.50:443", "10.0.0.13:*:443", kImplant}) {
    const auto left = shown({"--allow", entry});
    EXPECT_THAT(left, Not(Contains(kImplant))) << entry;
    EXPECT_THAT(left, Contains(kQuickImplant)) << entry;
  }
  EXPECT_THAT(shown({"--allow", "dst=10.0.0.13"}), Contains(kImplant));
  EXPECT_THAT(shown({"--allow", "8443"}), Not(Contains(kQuickImplant)));
  EXPECT_THAT(shown({"--allow", "8443/udp"}), Contains(kQuickImplant));
  const json pair = pair_with({"--allow", "203.0.113.50"}, kImplant);
  EXPECT_EQ(pair.at("hidden"), "allow_listed");
  EXPECT_THAT(pair.at("hidden_reason").get<std::string>(), HasSubstr("203.0.113.50 (--allow)"));
}

TEST_F(Triage, MatchesNamesAsTheHelpSays) {
  EXPECT_THAT(shown({"--allow", "*.rotate.example"}), Not(Contains(kNamedImplant)));
  EXPECT_THAT(shown({"--allow", "*.example"}), Not(Contains(kNamedImplant)));
  EXPECT_THAT(shown({"--allow", "CDN.rotate.EXAMPLE"}), Not(Contains(kNamedImplant)));
  EXPECT_THAT(shown({"--allow", ".cdn.rotate.example"}), Not(Contains(kNamedImplant)));
  EXPECT_THAT(shown({"--allow", "*.cdn.rotate.example"}), Contains(kNamedImplant))
      << "a star stands for names below, not for the name itself";
  EXPECT_THAT(shown({"--allow", "rotate.example"}), Contains(kNamedImplant));
  // Its address pairs do not come back in its place.
  for (const std::string& identity : shown({"--allow", "*.rotate.example"}))
    EXPECT_THAT(identity, Not(HasSubstr("10.0.0.16->")));
}

TEST_F(Triage, ReadsAllowEntriesFromAFileAndNamesTheLineOfABadOne) {
  const std::string good =
      folder_.write("allow.txt", "# ours\n\n203.0.113.50   # the implant\n*.rotate.example\r\n");
  const auto left = shown({"--allow-file", good});
  EXPECT_THAT(left, Not(Contains(kImplant)));
  EXPECT_THAT(left, Not(Contains(kNamedImplant)));
  EXPECT_THAT(left, Contains(kQuickImplant));
  EXPECT_THAT(pair_with({"--allow-file", good}, kImplant).at("hidden_reason").get<std::string>(),
              HasSubstr("allow.txt line 3"));
  const Ran bad = hunt({"--allow-file", folder_.write("bad.txt", "10.0.0.1\n10.0.0.0/99\n")});
  EXPECT_EQ(bad.status, 2);
  EXPECT_THAT(bad.err, HasSubstr("bad.txt line 2"));
  EXPECT_EQ(hunt({"--allow-file", folder_ / "none"}).status, 2);
  EXPECT_EQ(hunt({"--allow", "10.0.0.0/99"}).status, 2);
}

TEST_F(Triage, TakesNtpForTheBenignBaselineUnlessTold) {
  EXPECT_THAT(shown({}), Not(Contains(kNtp)));
  const json pair = pair_with({}, kNtp);
  EXPECT_EQ(pair.at("hidden"), "baseline");
  const std::string config = folder_.write("c.yaml", "benign_baseline:\n  enabled: false\n");
  EXPECT_NE(pair_with({"--config", config}, kNtp).at("hidden"), "baseline");
}

std::string date_in(int days) {
  const std::time_t then = std::time(nullptr) + days * 86'400;
  std::tm parts{};
  gmtime_r(&then, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

TEST_F(Triage, AppliesANoteUntilItExpires) {
  const auto note = [&](const std::string& more) {
    return folder_.write("notes.yaml", std::string("- pair: ") + kImplant +
                                           "\n  because: our own red team\n" + more);
  };
  EXPECT_THAT(shown({"--notes", note("  decision: benign\n")}), Not(Contains(kImplant)));
  const json hidden = pair_with({"--notes", folder_ / "notes.yaml"}, kImplant);
  EXPECT_EQ(hidden.at("hidden"), "triaged");
  EXPECT_THAT(hidden.at("note").get<std::string>(), HasSubstr("our own red team"));
  EXPECT_THAT(shown({"--notes", note("  decision: benign\n  until: " + date_in(2) + "\n")}),
              Not(Contains(kImplant)));
  const std::string expired = note("  decision: benign\n  until: " + date_in(-2) + "\n");
  EXPECT_THAT(shown({"--notes", expired}), Contains(kImplant));
  EXPECT_THAT(hunt({"--notes", expired}).out, HasSubstr("expired on"));
  EXPECT_THAT(shown({"--notes", note("  decision: watch\n")}), Contains(kImplant));
  EXPECT_THAT(hunt({"--notes", folder_ / "notes.yaml"}).out, HasSubstr("red team"));
  const std::string by_name = folder_.write(
      "n.yaml", "- pair: '*->*.rotate.example:*'\n  decision: benign\n  because: ours\n");
  EXPECT_THAT(shown({"--notes", by_name}), Not(Contains(kNamedImplant)));
}

TEST_F(Triage, RefusesNotesItDoesNotUnderstandAndNamesTheLine) {
  const Ran bad = hunt({"--notes", folder_.write("n.yaml",
                                                 "- pair: 10.0.0.5->203.0.113.9:443/TCP\n"
                                                 "  decision: harmless\n  because: x\n")});
  EXPECT_EQ(bad.status, 2);
  EXPECT_THAT(bad.err, HasSubstr("n.yaml"));
  EXPECT_THAT(bad.err, HasSubstr("line 2"));
  EXPECT_EQ(hunt({"--notes", folder_ / "none"}).status, 2);
}

TEST_F(Triage, MarksOnlyWhatIsNewChangedOrGoneSinceAnEarlierReport) {
  const Ran earlier = hunt({"--format", "json"});
  ASSERT_EQ(earlier.status, 0);
  const std::string report = folder_.write("day1.json", earlier.out);
  // The same again: no news.
  for (const json& pair : objects_in(hunt({"--since-report", report, "--format", "ndjson"}).out))
    EXPECT_TRUE(pair.at("change").is_null()) << pair.at("identity");
  // The next day the quick implant is gone, the slow one sleeps longer, a new one has come.
  auto network = small_network();
  network.erase(std::remove_if(network.begin(), network.end(),
                               [](const Connection& c) {
                                 return c.source == "10.0.0.14" || c.source == "10.0.0.13";
                               }),
                network.end());
  Connection fresh{};
  fresh.source = "10.0.0.17", fresh.destination = "203.0.113.77";
  write_day(merged({network, every(110, 130, 100), every(28, 32, 300, fresh)}));
  const Ran ran = hunt({"--since-report", report, "--format", "ndjson"});
  std::map<std::string, std::string> changes;
  for (const json& pair : objects_in(ran.out)) {
    changes[pair.at("identity")] =
        pair.at("change").is_null() ? "" : pair.at("change").get<std::string>();
  }
  EXPECT_EQ(changes["10.0.0.17->203.0.113.77:443/TCP"], "NEW");
  EXPECT_EQ(changes[kImplant], "CHANGED");
  EXPECT_EQ(changes[kQuickImplant], "GONE");
  EXPECT_EQ(changes[kNamedImplant], "");
  EXPECT_THAT(hunt({"--since-report", report}).out, HasSubstr("GONE"));
}

TEST_F(Triage, RefusesAnEarlierReportThatIsNone) {
  const std::string whole = hunt({"--format", "json"}).out;
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("garbage"), whole.substr(0, 2000)}) {
    const Ran ran = hunt({"--since-report", folder_.write("r.json", text)});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("r.json"));
    EXPECT_TRUE(is_harmless(ran.err));
  }
}

TEST_F(Triage, HonoursTheKnownGatesWhereSetAndSaysWhatTheyHid) {
  ASSERT_THAT(shown({}), Contains(kQuickImplant)) << "unset, a 5 s rhythm is found";
  const std::string config =
      folder_.write("c.yaml", "detection:\n  min_beacon_interval: 10\n  min_connections: 10\n");
  EXPECT_THAT(shown({"--config", config}), Not(Contains(kQuickImplant)));
  EXPECT_THAT(shown({"--config", config}), Contains(kImplant));
  const json hidden = pair_with({"--config", config}, kQuickImplant);
  EXPECT_EQ(hidden.at("hidden"), "gated");
  EXPECT_THAT(hidden.at("hidden_reason").get<std::string>(), HasSubstr("min_beacon_interval"));
  EXPECT_THAT(hunt({"--config", config}).out, ContainsRegex("[1-9] shut out by a configured gate"));
}

TEST_F(Triage, TakesThePredecessorsConfiguration) {
  const std::string config = folder_.write("c.yaml",
                                           "detection:\n"
                                           "  min_connections: 10\n  min_duration: 300\n"
                                           "  cv_threshold: 0.15\n  periodicity_threshold: 0.7\n"
                                           "  jitter_threshold: 5.0\n  alert_threshold: 0.7\n"
                                           "  cv_weight: 0.35\n  periodicity_weight: 0.35\n"
                                           "  jitter_weight: 0.15\n  size_weight: 0.15\n"
                                           "  alert_cooldown: 300\n"
                                           "whitelist:\n  source_ips: [10.0.0.14]\n"
                                           "  destination_ips: []\n  ports: [53]\n"
                                           "  pairs: ['10.0.0.13:203.0.113.50:443']\n"
                                           "benign_baseline:\n  patterns:\n"
                                           "    - dst_port: 123\n      protocol: UDP\n"
                                           "      label: NTP\n"
                                           "alerting:\n  syslog:\n    enabled: true\n");
  const auto left = shown({"--config", config});
  EXPECT_THAT(left, Not(Contains(kImplant)));
  EXPECT_THAT(left, Not(Contains(kQuickImplant)));
  EXPECT_THAT(left, Contains(kNamedImplant));
  EXPECT_THAT(hunt({"--config", config}).out, HasSubstr("alerting"));
}

TEST_F(Triage, RefusesAWrongConfigurationAndNamesTheLine) {
  const auto refused = [&](const std::string& yaml, const char* place) {
    const Ran ran = hunt({"--config", folder_.write("c.yaml", yaml)});
    EXPECT_EQ(ran.status, 2) << yaml;
    EXPECT_THAT(ran.err, HasSubstr(place)) << yaml;
    EXPECT_EQ(ran.out, "");
    return ran.err;
  };
  EXPECT_THAT(refused("detection:\n  cv_weight: 0.9\n", "c.yaml line 2"), HasSubstr("weight"));
  refused("detection:\n  min_duration: 1\n  cv_weight: lots\n", "c.yaml line 3");
  EXPECT_THAT(refused("detection:\n  cv_treshold: 0.2\n", "c.yaml line 2"),
              HasSubstr("cv_threshold"));
  refused("whitelist:\n  source_ips:\n    - 10.0.0.0/99\n", "c.yaml line 3");
  refused("detection: [\n", "c.yaml");
  EXPECT_EQ(hunt({"--config", folder_ / "none.yaml"}).status, 2);
}

}  // namespace
}  // namespace beaconry::cli
