#include "sensor/desired_state.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "sensor/desired_store.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;

const char* const kWhole = R"({"instances": {"beacon_0": {
  "image": "f1", "running": false,
  "interfaces": [{"name": "probe", "kind": "mirror", "parent": "eth7", "address": "10.0.0.2/24",
                  "gateway": "10.0.0.1", "resolvers": ["10.0.0.1"]}],
  "config": {"every": 5}, "retention_hours": 48, "allow_unsigned": true,
  "approved": "a1", "restarts": 3, "source": "/etc/x.yaml"}}})";

std::string error_of(const std::string& json) {
  const auto state = DesiredState::parse(json);
  return state ? "" : state.error().message();
}

TEST(DesiredStateJson, GoesThereAndBack) {
  const auto state = DesiredState::parse(kWhole);
  ASSERT_TRUE(state) << state.error().message();
  const InstanceWish& wish = state->instances.at("beacon_0");
  EXPECT_EQ(wish.image, "f1");
  EXPECT_FALSE(wish.running);
  ASSERT_EQ(wish.interfaces.size(), 1U);
  EXPECT_EQ(wish.interfaces[0].kind, InterfaceWish::Kind::mirror);
  EXPECT_EQ(wish.interfaces[0].resolvers, std::vector<std::string>{"10.0.0.1"});
  EXPECT_EQ(wish.config_json, R"({"every":5})");
  EXPECT_EQ(wish.retention, std::chrono::hours{48});
  EXPECT_EQ(wish.restarts, 3U);
  const auto again = DesiredState::parse(state->to_json());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->to_json(), state->to_json());
}

TEST(DesiredStateJson, ErrorsNameThePlace) {
  struct Case {
    const char *json, *words;
  };
  const Case cases[] = {
      {"{", "no JSON"},
      {R"({"instance": {}})", "did you mean 'instances'"},
      {R"({"instances": []})", "/instances"},
      {R"({"instances": {"Beacon": {"image": "x"}}})", "/instances/Beacon"},
      {R"({"instances": {"beacon_0": {}}})", "/instances/beacon_0/image: is missing"},
      {R"({"instances": {"beacon_0": {"image": 5}}})", "/instances/beacon_0/image: is no text"},
      {R"({"instances": {"beacon_0": {"image": "x", "imagee": "y"}}})", "did you mean 'image'"},
      {R"({"instances": {"beacon_0": {"image": "x", "running": 1}}})", "running: is neither"},
      {R"({"instances": {"beacon_0": {"image": "x", "interfaces": [{"name": "a", "kind": "wifi"}]}}})",
       "/instances/beacon_0/interfaces/0/kind"},
      {R"({"instances": {"beacon_0": {"image": "x", "interfaces": [{"name": "a"}, {"name": "a"}]}}})",
       "twice"},
      {R"({"instances": {"beacon_0": {"image": "x", "config": 5}}})", "config: is no map"},
      {R"({"instances": {"beacon_0": {"image": "x", "retention_hours": 0}}})", "retention_hours"},
  };
  for (const Case& one : cases) {
    EXPECT_NE(error_of(one.json).find(one.words), std::string::npos)
        << one.json << " -> " << error_of(one.json);
  }
}

RC_GTEST_PROP(DesiredStateJson, NoBytesDoHarm, (const std::string& bytes)) {
  (void)DesiredState::parse(bytes);
  (void)DesiredState::parse(R"({"instances": {"beacon_0": )" + bytes + "}}");
}

class DesiredFiles : public testing::Test {
 protected:
  DesiredFiles() {
    char name[] = "/tmp/beaconry_desired_XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::create_directories(folder_ + "/sensor.d");
  }
  ~DesiredFiles() override { fs::remove_all(folder_); }
  std::string put(const std::string& name, const std::string& text) {
    const std::string path = folder_ + "/sensor.d/" + name;
    std::ofstream(path) << text;
    return path;
  }
  // Images are what they are called.
  MergeParts parts() {
    return {[](const std::string& words) -> Result<std::optional<std::string>> {
              if (words == "missing") {
                return fail(ErrorKind::not_found, "find image", words, "there is none");
              }
              return std::optional<std::string>(words);
            },
            [](const InstanceWish&) -> Result<void> { return {}; }};
  }
  std::string folder_;
};

TEST_F(DesiredFiles, AreReadWithTheLinesOfTheirErrors) {
  const std::string good = put("a.yaml", R"(instances:
  beacon_0:
    image: beacon:1.0
    retention: 2d
    config: {every: 5, word: "7", on: true}
    interfaces:
      - {name: probe, kind: bridge, parent: br0, address: dhcp}
)");
  const auto file = read_desired_file(good);
  ASSERT_TRUE(file) << file.error().message();
  ASSERT_EQ(file->instances.size(), 1U);
  EXPECT_EQ(file->instances[0].config_json, R"({"every":5,"on":true,"word":"7"})");
  EXPECT_EQ(file->instances[0].retention, std::chrono::hours{48});
  EXPECT_EQ(file->instances[0].source, good);
  const auto bad = read_desired_file(put("b.yaml", R"(instances:
  beacon_0:
    image: beacon
    interfaces:
      - name: probe
        kind: wifi
)"));
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message().find("b.yaml line 6"), std::string::npos)
      << bad.error().message();
}

TEST_F(DesiredFiles, ABadFileChangesNothingOfWhatItDefined) {
  auto store = DesiredStore::open(folder_ + "/state", folder_ + "/sensor.d");
  ASSERT_TRUE(store);
  put("a.yaml", "instances: {a_0: {image: one}, a_1: {image: one}}");
  put("b.yaml", "instances: {b_0: {image: one}}");
  EXPECT_TRUE(store->read_files(parts(), {}));
  EXPECT_EQ(store->state().instances.size(), 3U);
  put("a.yaml", "instances: {a_0: {imag: two}}");
  EXPECT_FALSE(store->read_files(parts(), {}));
  EXPECT_EQ(store->state().instances.size(), 3U);
  ASSERT_EQ(store->problems().size(), 1U);
  put("a.yaml", "instances: {a_0: {image: missing}}");
  store->read_files(parts(), {});
  EXPECT_EQ(store->state().instances.at("a_0").image, "one");
  EXPECT_EQ(store->state().instances.count("a_1"), 0U);  // that one is not in the file any more
  fs::remove(folder_ + "/sensor.d/a.yaml");
  store->read_files(parts(), {});
  EXPECT_EQ(store->state().instances.size(), 1U);
  EXPECT_TRUE(store->problems().empty());
  fs::remove_all(folder_ + "/sensor.d");
  EXPECT_FALSE(store->read_files(parts(), {}));
  EXPECT_EQ(store->state().instances.size(), 1U);
  EXPECT_EQ(store->problems().size(), 1U);
}

TEST_F(DesiredFiles, AreReadOnceTwoLooksApartSawTheSame) {
  auto store = DesiredStore::open(folder_ + "/state", folder_ + "/sensor.d");
  Timestamp now{std::chrono::seconds{1'790'000'000}};
  const auto changed_after = [&](int seconds) {
    return store->files_changed(now += std::chrono::seconds{seconds});
  };
  put("a.yaml", "instances: {a_0: {image: one}}");
  EXPECT_FALSE(changed_after(0));
  EXPECT_FALSE(changed_after(1));
  put("a.yaml", "instances: {a_0: {image: one}, a_1: {image: o");  // somebody still writes
  EXPECT_FALSE(changed_after(1));
  put("a.yaml", "instances: {a_0: {image: one}, a_1: {image: one}}");
  EXPECT_FALSE(changed_after(2));
  EXPECT_TRUE(changed_after(2));
  store->read_files(parts(), now);
  EXPECT_FALSE(changed_after(2));
  // Two writes that end where they began.
  put("b.yaml", "instances: {b_0: {image: one}}");
  EXPECT_FALSE(changed_after(2));
  fs::remove(folder_ + "/sensor.d/b.yaml");
  EXPECT_FALSE(changed_after(2));
  EXPECT_FALSE(changed_after(2));
  // What they name may be another by now.
  store->look_again();
  EXPECT_TRUE(changed_after(0));
  EXPECT_FALSE(changed_after(2));
  // A clock that was set back is no pause.
  put("b.yaml", "instances: {b_0: {image: one}}");
  EXPECT_FALSE(changed_after(2));
  EXPECT_FALSE(changed_after(-60));
  EXPECT_FALSE(changed_after(1));
  EXPECT_TRUE(changed_after(1));
}

TEST_F(DesiredFiles, AreReadAgainWhileOneHasProblems) {
  auto store = DesiredStore::open(folder_ + "/state", folder_ + "/sensor.d");
  const Timestamp begin{std::chrono::seconds{1'790'000'000}};
  put("a.yaml", "instances: {a_0: {image: later}}");
  bool is_there = false;
  MergeParts later = parts();
  later.resolve = [&](const std::string& words) -> Result<std::optional<std::string>> {
    if (!is_there) return fail(ErrorKind::not_found, "find image", words, "there is none");
    return std::optional<std::string>(words);
  };
  EXPECT_FALSE(store->files_changed(begin));
  ASSERT_TRUE(store->files_changed(begin + std::chrono::seconds{2}));
  EXPECT_FALSE(store->read_files(later, {}));
  ASSERT_EQ(store->problems().size(), 1U);
  is_there = true;
  ASSERT_TRUE(store->files_changed(begin + std::chrono::seconds{4}));
  EXPECT_TRUE(store->read_files(later, {}));
  EXPECT_TRUE(store->problems().empty());
  EXPECT_FALSE(store->files_changed(begin + std::chrono::seconds{6}));
}

TEST_F(DesiredFiles, AFileThatWasCutOffRemovesNothing) {
  auto store = DesiredStore::open(folder_ + "/state", folder_ + "/sensor.d");
  put("a.yaml", "instances: {a_0: {image: one}}");
  put("empty.yaml", "");  // never defined anything: no problem
  store->read_files(parts(), {});
  EXPECT_TRUE(store->problems().empty());
  for (const char* text : {"", "# all gone\n", "instances:\n", "{}\n"}) {
    put("a.yaml", text);
    EXPECT_FALSE(store->read_files(parts(), {})) << text;
    EXPECT_EQ(store->state().instances.count("a_0"), 1U) << text;
    ASSERT_EQ(store->problems().size(), 1U) << text;
    EXPECT_NE(store->problems()[0].find("instances: {}"), std::string::npos);
  }
  put("a.yaml", "instances: {}\n");
  EXPECT_TRUE(store->read_files(parts(), {}));
  EXPECT_TRUE(store->state().instances.empty());
}

TEST_F(DesiredFiles, AnInstanceOfTwoFilesStaysAsItWas) {
  auto store = DesiredStore::open(folder_ + "/state", folder_ + "/sensor.d");
  put("a.yaml", "instances: {a_0: {image: one}}");
  store->read_files(parts(), {});
  put("b.yaml", "instances: {a_0: {image: two}}");
  store->read_files(parts(), {});
  EXPECT_EQ(store->state().instances.at("a_0").image, "one");
  ASSERT_EQ(store->problems().size(), 1U);
  EXPECT_NE(store->problems()[0].find("b.yaml"), std::string::npos);
}

TEST_F(DesiredFiles, LeaveAnInstanceOfTheCommandLineAsItIs) {
  auto store = DesiredStore::open(folder_ + "/state", folder_ + "/sensor.d");
  DesiredState state;
  state.instances["a_0"].name = "a_0";
  state.instances["a_0"].image = "zero";
  ASSERT_TRUE(store->set(state, "anna", "cli", {}));
  const std::string file = put("a.yaml", "instances: {a_0: {image: one}, c_0: {image: one}}");
  store->read_files(parts(), {});
  EXPECT_EQ(store->state().instances.at("a_0").source, "");
  EXPECT_EQ(store->state().instances.at("a_0").image, "zero");
  EXPECT_EQ(store->state().instances.at("c_0").source, file);
  ASSERT_EQ(store->problems().size(), 1U);
  for (const char* word : {"a.yaml", "a_0", "by a command", "beaconry instrument remove a_0"})
    EXPECT_NE(store->problems()[0].find(word), std::string::npos) << store->problems()[0];
  // Nor does it go with the file.
  put("a.yaml", "instances: {c_0: {image: one}}");
  store->read_files(parts(), {});
  EXPECT_TRUE(store->problems().empty());
  EXPECT_EQ(store->state().instances.count("a_0"), 1U);
  // Removed by a command, it is the file's.
  state = store->state();
  state.instances.erase("a_0");
  ASSERT_TRUE(store->set(state, "anna", "cli", {}));
  put("a.yaml", "instances: {a_0: {image: one}, c_0: {image: one}}");
  store->read_files(parts(), {});
  EXPECT_TRUE(store->problems().empty());
  EXPECT_EQ(store->state().instances.at("a_0").source, file);
}

TEST_F(DesiredFiles, KeepTheRestartsOfTheInstancesThatTheyDefine) {
  auto store = DesiredStore::open(folder_ + "/state", folder_ + "/sensor.d");
  const std::string file = put("a.yaml", "instances: {a_0: {image: one}}");
  store->read_files(parts(), {});
  DesiredState state = store->state();
  state.instances.at("a_0").restarts = 7;
  ASSERT_TRUE(store->set(state, "anna", "cli", {}));
  put("a.yaml", "instances: {a_0: {image: one, retention: 2d}}");
  store->read_files(parts(), {});
  EXPECT_EQ(store->state().instances.at("a_0").retention, std::chrono::hours{48});
  EXPECT_EQ(store->state().instances.at("a_0").restarts, 7U);
}

}  // namespace
}  // namespace beaconry
