#include "fleet/layers.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fleet/document_text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

MergedLayers merged(const std::vector<Layer>& layers) {
  auto result = merge_layers(layers);
  EXPECT_TRUE(result) << result.error().message();
  return result ? std::move(*result) : MergedLayers{};
}

std::string fault(const std::vector<Layer>& layers) {
  const auto result = merge_layers(layers);
  return result ? std::string() : result.error().message();
}

TEST(Layers, LaterOnesReplaceKeyByKeyAndEachLeafSaysWhereItIsFrom) {
  const MergedLayers all =
      merged({{"fleet", R"({"instances":{"beacon_0":{"image":"aa","running":true,
                     "config":{"every":60,"to":{"host":"h","port":1}}}}})"},
              {"group:ot", R"({"instances":{"beacon_0":{"config":{"every":30,"to":{"port":2}}},
                        "detector_0":{"image":"dd","interfaces":[{"name":"in"}]}}})"},
              {"sensor", R"({"instances":{"beacon_0":{"running":false}}})"}});
  EXPECT_EQ(Json::parse(all.json), Json::parse(R"({"instances":{
      "beacon_0":{"image":"aa","running":false,"config":{"every":30,"to":{"host":"h","port":2}}},
      "detector_0":{"image":"dd","interfaces":[{"name":"in"}]}}})"));
  EXPECT_EQ(Json::parse(all.origin_json), Json::parse(R"({
      "/instances/beacon_0/image":"fleet",
      "/instances/beacon_0/running":"sensor",
      "/instances/beacon_0/config/every":"group:ot",
      "/instances/beacon_0/config/to/host":"fleet",
      "/instances/beacon_0/config/to/port":"group:ot",
      "/instances/detector_0/image":"group:ot",
      "/instances/detector_0/interfaces":"group:ot"})"));
}

TEST(Layers, NullRemovesAKeyOrAnInstanceWithItsOrigins) {
  const MergedLayers all =
      merged({{"fleet", R"({"instances":{"beacon_0":{"image":"aa","config":{"a":{"b":1},"a-b":2}},
                     "beacon_1":{"image":"bb"}}})"},
              {"sensor", R"({"instances":{"beacon_0":{"config":{"a":null}},"beacon_1":null}})"}});
  EXPECT_EQ(Json::parse(all.json),
            Json::parse(R"({"instances":{"beacon_0":{"image":"aa","config":{"a-b":2}}}})"));
  EXPECT_EQ(Json::parse(all.origin_json), Json::parse(R"({
      "/instances/beacon_0/image":"fleet","/instances/beacon_0/config/a-b":"fleet"})"));
}

TEST(Layers, ListsAreReplacedAsWholes) {
  const MergedLayers all = merged(
      {{"fleet", R"({"instances":{"b_0":{"image":"a","interfaces":[{"name":"x"},{"name":"y"}]}}})"},
       {"sensor", R"({"instances":{"b_0":{"interfaces":[{"name":"z"}]}}})"}});
  EXPECT_EQ(Json::parse(all.json)["instances"]["b_0"]["interfaces"],
            Json::parse(R"([{"name":"z"}])"));
}

TEST(Layers, ErrorsNameTheLayerAndThePlace) {
  struct Case {
    const char* json;
    const char* words;
  };
  for (const Case& each : {
           Case{R"({"instances":{"beacon_0":{"runing":true}}})",
                "group:ot /instances/beacon_0/runing: no key of an instance; did you mean "
                "'running'?"},
           Case{R"({"instances":{"beacon_0":{"running":"yes"}}})",
                "group:ot /instances/beacon_0/running: is neither true nor false"},
           Case{R"({"instances":{"beacon_0":{"interfaces":[{"kind":"bridge"}]}}})",
                "group:ot /instances/beacon_0/interfaces/0: has no 'name'"},
           Case{R"({"instances":{"Beacon":{}}})", "group:ot /instances/Beacon: is no instance's"},
           Case{R"({"instances":{"beacon_0":{"running":true}}})",
                "group:ot /instances/beacon_0: no layer gives it an image"},
           Case{R"({"instances":{"beacon_0":{"image":"a","image":"b"}}})",
                "group:ot: /instances/beacon_0/image is given twice"},
           Case{R"({"instance":{}})", "group:ot /instance: unknown"},
           Case{R"([])", "group:ot: it is no JSON object"},
           Case{R"({"instances":)", "group:ot: it is no JSON"},
       }) {
    EXPECT_NE(fault({{"group:ot", each.json}}).find(each.words), std::string::npos)
        << each.json << ": " << fault({{"group:ot", each.json}});
  }
}

TEST(Layers, TakeBoundedDepthAndSize) {
  EXPECT_FALSE(check_layer({"fleet", std::string(100'000, '[')}));
  EXPECT_FALSE(check_layer({"fleet", '"' + std::string(kLongestFleetDocument, 'a') + '"'}));
}

// Random layers over few names, so that they meet.
rc::Gen<Json> value(int depth) {
  auto plain =
      rc::gen::map(rc::gen::inRange(0, 4), [](int v) { return v == 0 ? Json() : Json(v); });
  if (depth == 0) return plain;
  auto members = rc::gen::container<std::vector<std::pair<int, Json>>>(
      rc::gen::pair(rc::gen::inRange(0, 3), rc::gen::lazy([depth] { return value(depth - 1); })));
  auto object = rc::gen::map(members, [](const std::vector<std::pair<int, Json>>& all) {
    Json out = Json::object();
    for (const auto& [key, each] : all)
      out[std::string(1, static_cast<char>('a' + key))] = each;
    return out;
  });
  return rc::gen::oneOf(plain, object);
}

rc::Gen<std::vector<Json>> configs() {
  return rc::gen::suchThat(rc::gen::resize(4, rc::gen::container<std::vector<Json>>(value(3))),
                           [](const std::vector<Json>& all) {
                             return std::all_of(all.begin(), all.end(),
                                                [](const Json& j) { return j.is_object(); });
                           });
}

void leaves(const std::string& at, const Json& json, std::vector<std::string>& found) {
  if (!json.is_object() || json.empty()) return found.push_back(at);
  for (const auto& [key, each] : json.items())
    leaves(at + '/' + key, each, found);
}

RC_GTEST_PROP(Layers, MergeAsRfc7396AndGiveEachLeafOneOrigin, ()) {
  const std::vector<Json> all = *configs();
  std::vector<Layer> layers = {{"fleet", R"({"instances":{"b_0":{"image":"x"}}})"}};
  Json expected = Json::parse(R"({"instances":{"b_0":{"image":"x"}}})");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Json patch = {{"instances", {{"b_0", {{"config", all[i]}}}}}};
    layers.push_back({"layer" + std::to_string(i), patch.dump()});
    expected.merge_patch(patch);
  }
  const auto result = merge_layers(layers);
  RC_ASSERT(result.has_value());
  RC_ASSERT(Json::parse(result->json) == expected);
  std::vector<std::string> places;
  leaves("", expected, places);
  const Json origin = Json::parse(result->origin_json);
  RC_ASSERT(origin.size() == places.size());
  for (const std::string& place : places)
    RC_ASSERT(origin.contains(place));
}

}  // namespace
}  // namespace beaconry
