// Files as the bodies of answers.
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "http/test_support.h"

namespace beaconry {
namespace {

class FileBody : public testing::Test {
 protected:
  FileBody() {
    char name[] = "/tmp/beaconry_file_body_XXXXXX";
    folder_ = ::mkdtemp(name);
    content_.resize(3'000'001);
    for (std::size_t i = 0; i < content_.size(); ++i)
      content_[i] = static_cast<char>(i * 7 % 251);
    std::ofstream(path(), std::ios::binary) << content_;
    test_.handler.on_handle = [this](const HttpRequest&) {
      HttpResponse out;
      out.file = std::make_shared<HttpFilePart>();
      out.file->file = std::move(*Fd::open_for_reading(path()));
      out.file->offset = offset_;
      out.file->bytes = bytes_;
      return out;
    };
  }
  ~FileBody() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/file"; }

  std::string folder_, content_;
  std::uint64_t offset_ = 0, bytes_ = 3'000'001;
  TestServer test_;
};

TEST_F(FileBody, IsSentAsAWholeAndInParts) {
  const auto client = test_.client();
  auto answer = client->send({});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_TRUE(answer->body == content_);
  offset_ = 70'000;
  bytes_ = 200'000;
  answer = client->send({});
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->body == content_.substr(70'000, 200'000));
  bytes_ = 0;
  answer = client->send({});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "");
  EXPECT_EQ(test_.server->counters().connections, 1U);
}

TEST_F(FileBody, IsLeftOutForHead) {
  RawConnection raw(test_.endpoint);
  raw.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = raw.read_all();
  EXPECT_THAT(all, testing::HasSubstr("Content-Length: 3000001\r\n"));
  EXPECT_TRUE(all.ends_with("\r\n\r\n"));
}

TEST_F(FileBody, ThatBecameShorterEndsTheConnection) {
  bytes_ = content_.size() + 10;
  RawConnection raw(test_.endpoint);
  raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string all = raw.read_all();
  EXPECT_TRUE(all.ends_with(content_));
}

}  // namespace
}  // namespace beaconry
