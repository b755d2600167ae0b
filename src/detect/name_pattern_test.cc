#include "detect/name_pattern.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"

namespace beaconry {
namespace {

struct Case {
  const char* pattern;
  const char* name;
  bool matches;
};

TEST(NamePattern, MatchesAsItsHelpSays) {
  for (const Case& c : {
           Case{"example.com", "example.com", true},
           Case{"example.com", "www.example.com", false},
           Case{"example.com", "example.community", false},
           Case{"EXAMPLE.Com.", "example.com", true},
           Case{"*.example.com", "a.example.com", true},
           Case{"*.example.com", "a.b.example.com", true},
           Case{"*.example.com", "example.com", false},
           Case{"*.example.com", "evilexample.com", false},
           Case{"*.example.com", "a.example.com.evil.tld", false},
           Case{".example.com", "example.com", true},
           Case{".example.com", "a.b.example.com", true},
           Case{".example.com", "evilexample.com", false},
           Case{".cdn*.example.com", "cdn4.example.com", true},
           Case{".cdn*.example.com", "a.cdn4.example.com", true},
           Case{".cdn*.example.com", "acdn4.example.com", false},
           Case{"*example.com", "evilexample.com", true},
           Case{"*example.com", "example.com", true},
           Case{"cdn?.example.com", "cdn1.example.com", true},
           Case{"cdn?.example.com", "cdn12.example.com", false},
           Case{"cdn?.example.com", "cdn.example.com", false},
           Case{"update*", "update.example.com", true},
           Case{"*telemetry*", "eu.telemetry.example.com", true},
           Case{"a*b*c", "aXbXbXc", true},
           Case{"a*b*c", "aXbXbX", false},
           Case{"a**b", "ab", true},
           Case{"a?*", "a", false},
           Case{"_ldap._tcp.example.com", "_ldap._tcp.example.com", true},
           Case{"*.example.com", "", false},
           Case{".example.com", "", false},
       }) {
    const auto pattern = NamePattern::parse(c.pattern);
    ASSERT_TRUE(pattern) << c.pattern;
    const std::string name = ascii_lower(c.name);
    EXPECT_EQ(pattern->matches(name), c.matches) << c.pattern << " and " << name;
  }
}

TEST(NamePattern, RefusesWhatIsNoPatternOrMatchesEverything) {
  for (const char* text : {"", ".", "*", "*.*", "?", ".*", "a..b", "..a", "a b", "a,b", "a/b",
                           "\xc3\xbc.example", "a\nb", "a:b"}) {
    const auto pattern = NamePattern::parse(text);
    ASSERT_FALSE(pattern) << text;
    EXPECT_FALSE(pattern.error().cause.empty()) << text;
  }
}

TEST(NamePattern, ManyStarsStayFast) {
  std::string glob;
  for (int i = 0; i < 120; ++i)
    glob += "*a";
  const auto pattern = NamePattern::parse(glob + "*b");
  ASSERT_TRUE(pattern);
  EXPECT_FALSE(pattern->matches(std::string(255, 'a')));
}

// A host name: one to five labels.
rc::Gen<std::string> host_name() {
  const auto character = rc::gen::oneOf(rc::gen::inRange('a', 'd'), rc::gen::inRange('0', '2'));
  const auto label = rc::gen::mapcat(rc::gen::inRange<std::size_t>(1, 6), [=](std::size_t length) {
    return rc::gen::container<std::string>(length, character);
  });
  const auto labels = rc::gen::mapcat(rc::gen::inRange<std::size_t>(1, 6), [=](std::size_t count) {
    return rc::gen::container<std::vector<std::string>>(count, label);
  });
  return rc::gen::map(labels, [](const std::vector<std::string>& all) {
    std::string name;
    for (const auto& one : all)
      name += (name.empty() ? "" : ".") + one;
    return name;
  });
}

RC_GTEST_PROP(NamePattern, APatternMadeFromANameByStarsMatchesIt, ()) {
  const std::string name = *host_name();
  std::string glob = name;
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    const auto from = *rc::gen::inRange<std::size_t>(0, glob.size());
    const auto length = *rc::gen::inRange<std::size_t>(0, glob.size() - from + 1);
    glob.replace(from, length, "*");
  }
  const auto pattern = NamePattern::parse(glob);
  RC_PRE(static_cast<bool>(pattern));  // stars alone, or a dot at an end, are refused
  RC_PRE(glob.front() != '.' && glob.back() != '.');
  RC_LOG() << glob << " and " << name;
  RC_ASSERT(pattern->matches(name));
}

RC_GTEST_PROP(NamePattern, EveryMatchEndsInTheFixedEndingAtALabel, ()) {
  const std::string name = *host_name();
  const auto pattern = NamePattern::parse(*rc::gen::oneOf(
      rc::gen::map(host_name(), [](const std::string& n) { return "*" + n; }),
      rc::gen::map(host_name(), [](const std::string& n) { return "." + n; }),
      rc::gen::map(host_name(), [](const std::string& n) { return n.substr(0, 2) + "*"; })));
  RC_PRE(static_cast<bool>(pattern));
  if (!pattern->matches(name)) return;
  const auto ending = pattern->fixed_ending();
  RC_ASSERT(name.ends_with(ending));
  if (ending.empty() || name.size() == ending.size()) return;
  RC_ASSERT(name[name.size() - ending.size() - 1] == '.');
}

}  // namespace
}  // namespace beaconry
