#include "control/authority.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "config/document.h"
#include "config/keys.h"
#include "control/tokens.h"
#include "control/users.h"

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};
constexpr auto kDay = std::chrono::hours{24};

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest() {
    std::string pattern = testing::TempDir() + "authorityXXXXXX";
    parent_ = ::mkdtemp(pattern.data());
  }
  ~AuthorityTest() override { std::filesystem::remove_all(parent_); }
  ConfigValues values(const std::string& more = "") const {
    const auto document = ConfigDocument::parse("control_plane: {state_dir: " + parent_ + "/state" +
                                                    (more.empty() ? "" : ", ") + more + "}",
                                                "config.yaml");
    EXPECT_TRUE(document) << document.error().message();
    return *ConfigValues::read(config_schema(), *document);
  }
  std::string file(const char* name) const { return parent_ + "/state/" + name; }
  Initialised init(const std::vector<std::string>& names = {}) const {
    auto done = initialise(values(), names, kNow);
    EXPECT_TRUE(done) << done.error().message();
    return done.value_or(Initialised{});
  }

  std::string parent_;
};

TEST_F(AuthorityTest, InitMakesEverythingOnceForItsOwnerOnly) {
  const Initialised first = init();
  EXPECT_EQ(first.ca_fingerprint.size(), 64U);
  EXPECT_FALSE(first.admin_token.empty());
  struct stat status {};
  ASSERT_EQ(::stat((parent_ + "/state").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  for (const char* name : {"ca.crt", "ca.key", "server.crt", "server.key", "beaconry.db"}) {
    ASSERT_EQ(::stat(file(name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
  }
  const auto certificate = read_small_file(file("server.crt"), 1 << 20);
  const Initialised second = init();
  EXPECT_TRUE(second.admin_token.empty());
  EXPECT_EQ(second.ca_fingerprint, first.ca_fingerprint);
  EXPECT_EQ(*read_small_file(file("server.crt"), 1 << 20), *certificate);
  for (const std::string& line : second.words)
    EXPECT_NE(line.find("there already"), std::string::npos) << line;
  auto database = Database::open(file("beaconry.db"));
  ASSERT_TRUE(database);
  EXPECT_EQ((*Tokens::open(**database))->verify(first.admin_token, kNow)->role, Role::admin);
}

TEST_F(AuthorityTest, TheFirstUserIsAnAdminAndTheOnlyOneThatInitMakes) {
  EXPECT_EQ(init().users, 0U);
  EXPECT_FALSE(make_first_user(values(), "anna", "short", kNow));
  ASSERT_TRUE(make_first_user(values(), "anna", "correct horse battery", kNow));
  EXPECT_EQ(init().users, 1U);
  EXPECT_FALSE(make_first_user(values(), "eve", "correct horse battery", kNow));
  auto database = Database::open(file("beaconry.db"));
  ASSERT_TRUE(database);
  const auto login = (*Users::open(**database))->log_in("anna", "correct horse battery", "", kNow);
  EXPECT_TRUE(login->right);
  EXPECT_EQ(login->user.role, Role::admin);
}

TEST_F(AuthorityTest, NamesThatInitIsToldAreInTheCertificateAndRemembered) {
  init();
  const auto before = read_small_file(file("server.crt"), 1 << 20);
  init({"Beaconry.Corp.Example"});
  EXPECT_NE(*read_small_file(file("server.crt"), 1 << 20), *before);
  const auto names = server_names(values("names: [other.example]"));
  for (const char* name : {"beaconry.corp.example", "other.example", "localhost", "127.0.0.1"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  }
}

TEST_F(AuthorityTest, EdgesAreToldAConfiguredNameElseTheAddressThatIsListenedAt) {
  EXPECT_EQ(server_names(values("listen_address: 192.0.2.7")).front(), "192.0.2.7");
  EXPECT_EQ(server_names(values("listen_address: 192.0.2.7, names: [soc.example]")).front(),
            "soc.example");
}

TEST_F(AuthorityTest, TheCertificateIsRenewedWhenLessThanAMonthIsLeft) {
  EXPECT_EQ(server_certificate(values(), kNow).error().kind, ErrorKind::not_found);
  const std::string fingerprint = init().ca_fingerprint;
  const auto fresh = server_certificate(values(), kNow);
  ASSERT_TRUE(fresh) << fresh.error().message();
  EXPECT_FALSE(fresh->renewed);
  EXPECT_EQ(fresh->ca_fingerprint, fingerprint);
  EXPECT_GT(fresh->expires, kNow + 300 * kDay);
  const auto later = server_certificate(values(), fresh->expires - 29 * kDay);
  ASSERT_TRUE(later) << later.error().message();
  EXPECT_TRUE(later->renewed);
  EXPECT_GT(later->expires, fresh->expires);
  EXPECT_EQ(later->ca_fingerprint, fingerprint);
  EXPECT_FALSE(server_certificate(values(), fresh->expires - 29 * kDay)->renewed);
}

TEST_F(AuthorityTest, ACertificateThatTheConfigurationNamesIsTakenAsItIs) {
  init();
  const auto named =
      values("tls: {certificate: " + file("server.crt") + ", key: " + file("server.key") + "}");
  const auto server = server_certificate(named, kNow + 3650 * kDay);
  ASSERT_TRUE(server) << server.error().message();
  EXPECT_FALSE(server->renewed);
  EXPECT_TRUE(server->ca_fingerprint.empty());
  EXPECT_FALSE(server_certificate(values("tls: {certificate: a}"), kNow));
}

TEST_F(AuthorityTest, TheDatabaseIsWhereAPlaceWasPrepared) {
  EXPECT_EQ(StatePaths::of(values()).database, file("beaconry.db"));
  EXPECT_FALSE(StatePaths::of(values()).is_there);
  const auto document = ConfigDocument::parse("persistence: {db_path: /tmp/x.db}\n", "config.yaml");
  EXPECT_EQ(StatePaths::of(*ConfigValues::read(config_schema(), *document)).database, "/tmp/x.db");
}

TEST_F(AuthorityTest, AFolderThatCannotBeMadeIsAnErrorWithARemedy) {
  std::ofstream(parent_ + "/state") << "a file";
  const auto refused = initialise(values(), {}, kNow);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("control_plane.state_dir"), std::string::npos);
}

}  // namespace
}  // namespace beaconry
