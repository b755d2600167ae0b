// What the SPDX 2.3 specification and its JSON schema demand of a document.
#include "image/sbom.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "image/digest.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::MatchesRegex;

Json sbom_of_many_kinds_of_files() {
  Manifest manifest;
  manifest.name = "tester";
  manifest.version = "1.0+b~1";
  BaseRoot root{RootTree(1 << 20), {{"musl", "1.2.4-r2"}, {"c++", "1:2+3"}}};
  EXPECT_TRUE(root.tree.add_folder("opt"));
  EXPECT_TRUE(root.tree.add_file("opt/own", "mine", 0644, ""));
  EXPECT_TRUE(root.tree.add_file("opt/strange \xff name", "", 0644, ""));
  EXPECT_TRUE(root.tree.add_link("opt/link", "own"));
  // Of Debian's packages where there are any.
  for (const char* file : {"/usr/bin/env", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"}) {
    std::error_code error;
    const auto real = std::filesystem::canonical(file, error);
    if (error) continue;
    EXPECT_TRUE(root.tree.add_file(file, file, 0755, real.string()));
  }
  const auto text = make_sbom(manifest, root);
  EXPECT_TRUE(text) << text.error().message();
  return text ? Json::parse(*text) : Json();
}

// The objects have these texts, none of them empty, and nothing that the schema does not know.
void expect_keys(const Json& list, const std::set<std::string>& needed,
                 const std::set<std::string>& possible) {
  ASSERT_TRUE(list.is_array());
  for (const Json& each : list) {
    for (const std::string& key : needed) {
      ASSERT_TRUE(each.contains(key)) << key << " is missing in " << each;
      EXPECT_NE(each[key], "") << key;
    }
    for (const auto& [key, value] : each.items())
      EXPECT_TRUE(needed.count(key) + possible.count(key) == 1) << key;
  }
}

TEST(Sbom, HasWhatADocumentMustHave) {
  const Json sbom = sbom_of_many_kinds_of_files();
  expect_keys(Json::array({sbom}),
              {"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo"},
              {"packages", "files", "relationships"});
  EXPECT_EQ(sbom["spdxVersion"], "SPDX-2.3");
  EXPECT_EQ(sbom["dataLicense"], "CC0-1.0");
  EXPECT_EQ(sbom["SPDXID"], "SPDXRef-DOCUMENT");
  EXPECT_THAT(sbom["documentNamespace"].get<std::string>(), MatchesRegex("https://[^# ]+"));
  expect_keys(Json::array({sbom["creationInfo"]}), {"created", "creators"}, {});
  EXPECT_TRUE(std::regex_match(sbom["creationInfo"]["created"].get<std::string>(),
                               std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")));
  for (const Json& creator : sbom["creationInfo"]["creators"])
    EXPECT_THAT(creator.get<std::string>(), MatchesRegex("(Tool|Organization|Person): .+"));
}

TEST(Sbom, HasWhatPackagesAndFilesMustHave) {
  const Json sbom = sbom_of_many_kinds_of_files();
  expect_keys(sbom["packages"], {"SPDXID", "name", "downloadLocation"},
              {"versionInfo", "filesAnalyzed", "licenseConcluded", "licenseDeclared",
               "copyrightText", "packageVerificationCode", "licenseInfoFromFiles", "externalRefs"});
  expect_keys(sbom["files"], {"SPDXID", "fileName", "checksums"},
              {"licenseConcluded", "licenseInfoInFiles", "copyrightText"});
  EXPECT_GE(sbom["files"].size(), 2U);
  for (const Json& file : sbom["files"]) {
    EXPECT_EQ(file["fileName"].get<std::string>().substr(0, 2), "./");
    std::map<std::string, std::string> sums;
    for (const Json& sum : file["checksums"])
      sums[sum.at("algorithm")] = sum.at("checksumValue");
    EXPECT_TRUE(std::regex_match(sums["SHA1"], std::regex("[0-9a-f]{40}")));
    EXPECT_TRUE(std::regex_match(sums["SHA256"], std::regex("[0-9a-f]{64}")));
  }
  for (const Json& package : sbom["packages"]) {
    for (const Json& reference : package.value("externalRefs", Json::array())) {
      EXPECT_EQ(reference.at("referenceCategory"), "PACKAGE-MANAGER");
      EXPECT_EQ(reference.at("referenceType"), "purl");
      // Of what means something in a package URL nothing may stand in names and versions.
      EXPECT_TRUE(
          std::regex_match(reference.at("referenceLocator").get<std::string>(),
                           std::regex(R"(pkg:(deb/debian|apk/alpine)/([\w.~-]|%[0-9A-F]{2})+)"
                                      R"(@([\w.~-]|%[0-9A-F]{2})+(\?arch=\w+)?)")))
          << reference;
    }
  }
}

TEST(Sbom, RelationsTieEveryFileToOnePackageAndAllToTheInstrument) {
  const Json sbom = sbom_of_many_kinds_of_files();
  std::set<std::string> ids{sbom["SPDXID"].get<std::string>()};
  std::map<std::string, std::string> sha1;  // of files
  for (const char* kind : {"packages", "files"}) {
    for (const Json& each : sbom[kind]) {
      const std::string id = each["SPDXID"];
      EXPECT_TRUE(std::regex_match(id, std::regex("SPDXRef-[a-zA-Z0-9.-]+"))) << id;
      EXPECT_TRUE(ids.insert(id).second) << id << " is there twice";
      if (each.contains("fileName")) sha1[id] = each["checksums"][0]["checksumValue"];
    }
  }
  expect_keys(sbom["relationships"], {"spdxElementId", "relationshipType", "relatedSpdxElement"},
              {});
  std::map<std::string, std::vector<std::string>> content;  // by package
  std::set<std::string> contained;
  for (const Json& relation : sbom["relationships"]) {
    const std::string from = relation["spdxElementId"], to = relation["relatedSpdxElement"];
    EXPECT_THAT(ids, Contains(from));
    EXPECT_THAT(ids, Contains(to));
    EXPECT_THAT(relation["relationshipType"].get<std::string>(),
                AnyOf("DESCRIBES", "CONTAINS", "DEPENDS_ON"));
    if (relation["relationshipType"] != "CONTAINS") continue;
    EXPECT_TRUE(contained.insert(to).second) << to << " is of two packages";
    content[from].push_back(sha1.at(to));
  }
  EXPECT_EQ(contained.size(), sha1.size());
  for (const Json& package : sbom["packages"]) {
    auto sums = content[package["SPDXID"]];
    EXPECT_EQ(package["filesAnalyzed"], !sums.empty());
    EXPECT_EQ(package.contains("licenseInfoFromFiles"), !sums.empty());
    EXPECT_EQ(package.contains("packageVerificationCode"), !sums.empty());
    if (sums.empty()) continue;
    std::sort(sums.begin(), sums.end());
    std::string all;
    for (const std::string& sum : sums)
      all += sum;
    EXPECT_EQ(package["packageVerificationCode"]["packageVerificationCodeValue"], sha1_hex(all));
  }
}

}  // namespace
}  // namespace beaconry
