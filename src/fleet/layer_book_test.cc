#include "fleet/layer_book.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace beaconry {
namespace {

using Json = nlohmann::json;

// A document of which each layer's mark remains in what is merged.
std::string marked(const std::string& layer, const std::string& last) {
  return R"({"instances":{"beacon_0":{"image":"aa","config":{")" + layer + R"(":true,"last":")" +
         last + R"("}}}})";
}

LayerBook book() {
  LayerBook out;
  struct Group {
    const char* name;
    std::int64_t priority;
    const char* selector;
  };
  for (const Group& each : {Group{"late", 20, "site"}, Group{"b", 10, "site=oulu"},
                            Group{"a", 10, "site"}, Group{"other", 5, "site=turku"}}) {
    out.set_group({each.name, *Selector::parse(each.selector), each.priority});
    out.set(std::string("group:") + each.name, marked(each.name, each.name));
  }
  out.set("fleet", marked("fleet", "fleet"));
  return out;
}

Json config(const std::shared_ptr<const MergedLayers>& merged) {
  return Json::parse(merged->json)["instances"]["beacon_0"]["config"];
}

TEST(LayerBook, LaysTheGroupsByPriorityAndNameOverTheFleetAndTheSensorsOwnOverAll) {
  LayerBook book = beaconry::book();
  const Labels oulu = {{"site", "oulu"}};
  EXPECT_EQ(config(*LayerBook::Merger(book, {}).merge({"k1", oulu})),
            (Json{{"fleet", true}, {"a", true}, {"b", true}, {"late", true}, {"last", "late"}}));
  book.remove_group("late");
  EXPECT_EQ(config(*LayerBook::Merger(book, {}).merge({"k1", oulu}))["last"], "b");
  book.set("sensor:k1", marked("own", "own"));
  EXPECT_EQ(config(*LayerBook::Merger(book, {}).merge({"k1", oulu}))["last"], "own");
  EXPECT_EQ(config(*LayerBook::Merger(book, {}).merge({"k2", {}})),
            (Json{{"fleet", true}, {"last", "fleet"}}));
  EXPECT_EQ((*LayerBook::Merger(LayerBook(), {}).merge({"k1", oulu}))->json, R"({"instances":{}})");
}

TEST(LayerBook, MergesOnceWhatIsTheSameForManySensors) {
  const LayerBook book = beaconry::book();
  const auto other = std::make_shared<const std::string>(marked("other", "other"));
  const auto nothing = std::make_shared<const std::string>();
  LayerBook::Merger merger(
      book, [&](const std::string& target, std::string_view sensor) -> LayerBook::Text {
        if (target != "fleet") return nullptr;
        return sensor == "k3" || sensor == "k4" ? other : sensor == "k5" ? nothing : nullptr;
      });
  const Labels none;
  EXPECT_EQ(*merger.merge({"k1", none}), *merger.merge({"k2", none}));
  EXPECT_EQ(*merger.merge({"k3", none}), *merger.merge({"k4", none}));
  EXPECT_EQ(config(*merger.merge({"k1", none}))["last"], "fleet");
  EXPECT_EQ(config(*merger.merge({"k3", none}))["last"], "other");
  EXPECT_EQ((*merger.merge({"k5", none}))->json, R"({"instances":{}})");
}

}  // namespace
}  // namespace beaconry
