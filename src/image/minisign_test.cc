#include "image/minisign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/file.h"

namespace beaconry {
namespace {

using testing::HasSubstr;

class Minisign : public testing::Test {
 protected:
  Minisign() {
    char name[] = "/tmp/bcmsXXXXXX";
    folder_ = ::mkdtemp(name);
    write("file", std::string(100'000, 'x') + "end");
  }
  ~Minisign() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + '/' + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name), std::ios::binary).rdbuf();
    return text.str();
  }
  static bool has_program() { return std::system("command -v minisign >/dev/null 2>&1") == 0; }
  int minisign(const std::string& arguments) const {
    return std::system(("cd " + folder_ + " && minisign " + arguments + " >out 2>&1").c_str());
  }
  std::string folder_;
};

TEST_F(Minisign, AFileIsVerifiedByItsKeyAlone) {
  const auto ours = make_key_pair("ours"), theirs = make_key_pair("theirs");
  const auto signature = sign_file(path("file"), ours.secret_text, "instrument x 1.0");
  ASSERT_TRUE(signature) << signature.error().message();
  const auto our_key = parse_public_key(ours.public_text, "ours.pub");
  const auto their_key = parse_public_key(theirs.public_text, "theirs.pub");
  ASSERT_TRUE(our_key && their_key);
  const auto by = verify_file(path("file"), *signature, {*their_key, *our_key});
  ASSERT_TRUE(by) << by.error().message();
  EXPECT_EQ(by->id, our_key->id);
  EXPECT_EQ(by->where, "ours.pub");
  const auto unknown = verify_file(path("file"), *signature, {*their_key});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::not_found);
  EXPECT_THAT(unknown.error().message(), HasSubstr("signed by key " + our_key->id));
}

TEST_F(Minisign, AnythingChangedIsRefused) {
  const auto pair = make_key_pair("ours");
  const auto key = parse_public_key(pair.public_text, "ours.pub");
  const std::string signature = *sign_file(path("file"), pair.secret_text, "of beacon 1.0");
  std::string comment = signature;
  comment.replace(comment.find("1.0"), 3, "1.1");
  const auto changed_comment = verify_file(path("file"), comment, {*key});
  ASSERT_FALSE(changed_comment);
  EXPECT_THAT(changed_comment.error().cause, HasSubstr("trusted comment"));
  write("file", "other");
  const auto changed_file = verify_file(path("file"), signature, {*key});
  ASSERT_FALSE(changed_file);
  EXPECT_THAT(changed_file.error().cause, HasSubstr("not of these bytes"));
  for (const char* text : {"", "untrusted comment: x\nRWQ=\n", "\n\n\n\n"})
    EXPECT_FALSE(verify_file(path("file"), text, {*key}));
}

TEST_F(Minisign, FilesGoBothWaysBetweenUsAndTheProgram) {
  if (!has_program()) GTEST_SKIP() << "minisign is not installed";
  const auto pair = make_key_pair("ours");
  write("ours.pub", pair.public_text);
  write("ours.key", pair.secret_text);
  write("file.minisig", *sign_file(path("file"), pair.secret_text, "ours"));
  EXPECT_EQ(minisign("-V -p ours.pub -m file"), 0) << read("out");
  EXPECT_EQ(minisign("-S -s ours.key -m file -t theirs"), 0) << read("out");
  const auto key = parse_public_key(pair.public_text, "ours.pub");
  EXPECT_TRUE(verify_file(path("file"), read("file.minisig"), {*key}));

  ASSERT_EQ(minisign("-G -W -p their.pub -s their.key"), 0) << read("out");
  const auto their_key = parse_public_key(read("their.pub"), "their.pub");
  ASSERT_TRUE(their_key) << their_key.error().message();
  // It writes the number without zeros before it.
  const std::string number = their_key->id.substr(their_key->id.find_first_not_of('0'));
  EXPECT_THAT(read("their.pub"), HasSubstr(' ' + number + '\n'));
  const auto signature = sign_file(path("file"), read("their.key"), "by us");
  ASSERT_TRUE(signature) << signature.error().message();
  write("file.minisig", *signature);
  EXPECT_EQ(minisign("-V -p their.pub -m file"), 0) << read("out");
  ASSERT_EQ(minisign("-S -l -s their.key -m file"), 0) << read("out");
  const auto legacy = verify_file(path("file"), read("file.minisig"), {*their_key});
  ASSERT_FALSE(legacy);
  EXPECT_THAT(legacy.error().cause, HasSubstr("without -l"));
}

TEST_F(Minisign, AKeyWithAPasswordIsRefusedWithTheRemedy) {
  std::string bytes("EdScB2", 6);
  bytes.resize(158, 'x');
  write("raw", bytes);
  ASSERT_EQ(std::system(("base64 -w0 " + path("raw") + " > " + path("b64")).c_str()), 0);
  const auto refused = sign_file(path("file"), "untrusted comment: k\n" + read("b64") + "\n", "");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().cause, HasSubstr("password"));
}

TEST_F(Minisign, AFolderOfKeysIsReadWholeOrNotAtAll) {
  EXPECT_FALSE(read_public_keys(path("missing")));
  const auto one = make_key_pair("one"), two = make_key_pair("two");
  std::filesystem::create_directory(path("keys"));
  write("keys/b.pub", two.public_text);
  write("keys/a.pub", one.public_text);
  write("keys/a.key", "secret");
  const auto keys = read_public_keys(path("keys"));
  ASSERT_TRUE(keys) << keys.error().message();
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ((*keys)[0].where, path("keys/a.pub"));
  write("keys/c.pub", "nothing");
  const auto refused = read_public_keys(path("keys"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("c.pub"));
}

}  // namespace
}  // namespace beaconry
