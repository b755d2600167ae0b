#include "server/layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "document_file.h"

namespace beaconry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kOld(64, 'a'), kNew(64, 'b'), kOther(64, 'c');

Json images() {
  return {{"images",
           {{{"sha256", kOld},
             {"name", "beacon"},
             {"version", "1.0"},
             {"added", "2026-11-20T08:00:00.000Z"},
             {"complete", true}},
            {{"sha256", kNew},
             {"name", "beacon"},
             {"version", "1.1"},
             {"added", "2026-11-21T08:00:00.000Z"},
             {"complete", true}},
            {{"sha256", kOther},
             {"name", "beacon"},
             {"version", "1.2"},
             {"added", "2026-11-22T08:00:00.000Z"},
             {"complete", false}}}}};
}

Json layer_with(const std::string& image) {
  return {{"instances", {{"beacon_0", {{"image", image}}}}}};
}

std::string upper(std::string text) {
  for (char& c : text)
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

std::string image_in(const Json& layer) {
  return layer["instances"]["beacon_0"]["image"];
}

TEST(FleetLayer, TargetsAreTheFleetGroupsAndSensors) {
  EXPECT_EQ(layer_path("fleet").value(), "/api/v1/fleet/desired/fleet");
  EXPECT_EQ(layer_path("group:ot").value(), "/api/v1/fleet/desired/group%3Aot");
  EXPECT_EQ(layer_path("sensor:a/b").value(), "/api/v1/fleet/desired/sensor%3Aa%2Fb");
  for (const char* each : {"", "ot", "group:", "sensor:", "groups:ot"}) {
    const auto path = layer_path(each);
    ASSERT_FALSE(path) << each;
    EXPECT_EQ(path.error().kind, ErrorKind::usage);
    EXPECT_THAT(path.error().message(), HasSubstr("group:NAME"));
  }
}

TEST(FleetLayer, AnImageIsTakenByNameByVersionAndByItsFirstDigits) {
  for (const auto& [given, wanted] : {std::pair{std::string("beacon"), kNew},
                                      {"beacon:1.0", kOld},
                                      {kOld.substr(0, 12), kOld},
                                      {upper(kOld), kOld}}) {
    Json layer = layer_with(given);
    EXPECT_TRUE(names_images(layer));
    const auto lines = resolve_images(layer, images());
    ASSERT_TRUE(lines) << lines.error().message();
    EXPECT_EQ(image_in(layer), wanted);
    EXPECT_EQ(lines->size(), 1U);
    EXPECT_FALSE(names_images(layer));
  }
}

TEST(FleetLayer, AnImageThatTheServerHasNotOrNotAllOfIsAnErrorThatNamesThePlace) {
  for (const char* given : {"beacon:1.2", "detector", "beacon:"}) {
    Json layer = layer_with(given);
    if (std::string(given) == "beacon:") layer = layer_with("beacon:9");
    const auto lines = resolve_images(layer, images());
    ASSERT_FALSE(lines) << given;
    EXPECT_THAT(lines.error().message(), HasSubstr("/instances/beacon_0/image"));
  }
}

TEST(FleetLayer, LabelsAreSetAndRemovedOneByOne) {
  const auto patch = label_patch({"site=turku", "spare-", "role=a=b"});
  ASSERT_TRUE(patch);
  EXPECT_EQ(*patch, Json({{"site", "turku"}, {"spare", nullptr}, {"role", "a=b"}}));
  for (const char* each : {"site", "=x", "-", ""})
    EXPECT_FALSE(label_patch({each})) << each;
}

class DocumentFile : public testing::Test {
 protected:
  std::string written(const std::string& text) {
    const std::string path = testing::TempDir() + "document_file_test";
    std::ofstream(path) << text;
    return path;
  }
};

TEST_F(DocumentFile, IsTheSameInJsonAndInYaml) {
  const auto json = read_document(
      written(R"({"instances": {"beacon_0": {"image": "beacon", "config": {"every": 60}}}})"));
  const auto yaml = read_document(
      written("instances:\n  beacon_0:\n    image: beacon\n    config: {every: 60}\n"));
  ASSERT_TRUE(json) << json.error().message();
  ASSERT_TRUE(yaml) << yaml.error().message();
  EXPECT_EQ(*json, *yaml);
}

TEST_F(DocumentFile, KeepsNoKeyOfTwo) {
  const auto json = read_document(written(R"({"a": {"x": 1, "y": {"x": 2}, "x": 3}})"));
  ASSERT_FALSE(json);
  EXPECT_THAT(json.error().message(), HasSubstr("'x' is given twice"));
  EXPECT_TRUE(read_document(written(R"({"a": {"x": 1}, "b": {"x": 1}})")));
  EXPECT_FALSE(read_document(written("a: 1\na: 2\n")));
}

TEST_F(DocumentFile, ThatIsNoObjectIsRefused) {
  EXPECT_FALSE(read_document(written("[1, 2]")));
  EXPECT_FALSE(read_document(written("just words")));
  EXPECT_FALSE(read_document(written("{\"a\": ")));
}

}  // namespace
}  // namespace beaconry
