#include "services/gateway/static_files.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fadu::gateway {
namespace {

namespace fs = std::filesystem;

class StaticFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "fadu-static-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    fs::create_directories(folder_ + "/web/assets");
    Put("secret.txt", "outside");
    Put("web/index.html", "<!doctype html>");
    Put("web/assets/index-Bw3k9_aX.js", "let a;");
    Put("web/assets/index-Bw3k9_aX.js.gz", "zipped");
    Put("web/favicon.svg", "<svg/>");
    fs::create_symlink(folder_ + "/secret.txt", folder_ + "/web/link.txt");
    auto loaded = StaticFiles::Load(folder_ + "/web");
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    files_ = *std::move(loaded);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Put(const std::string& path, const std::string& text) {
    std::ofstream(folder_ + "/" + path, std::ios::binary) << text;
  }

  static std::string HeaderOf(const HttpResponse& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }

  std::string folder_;
  StaticFiles files_;
};

TEST_F(StaticFilesTest, GivesTypeAndCacheHeaders) {
  const auto page = files_.Get("/", HttpHead());
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(*page->shared_body, "<!doctype html>");
  EXPECT_EQ(HeaderOf(*page, "Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(HeaderOf(*page, "Cache-Control"), "no-cache");
  const auto script = files_.Get("/assets/index-Bw3k9_aX.js", HttpHead());
  ASSERT_NE(script, nullptr);
  EXPECT_EQ(*script->shared_body, "let a;");
  EXPECT_EQ(HeaderOf(*script, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(HeaderOf(*script, "Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(HeaderOf(*script, "Vary"), "Accept-Encoding");
}

TEST_F(StaticFilesTest, SendsGzipToWhoTakesIt) {
  HttpHead head;
  head.headers = {{"accept-encoding", "br, gzip"}};
  const auto script = files_.Get("/assets/index-Bw3k9_aX.js", head);
  EXPECT_EQ(*script->shared_body, "zipped");
  EXPECT_EQ(HeaderOf(*script, "Content-Encoding"), "gzip");
}

TEST_F(StaticFilesTest, AnUnchangedFileIsNotSentAgain) {
  HttpHead head;
  head.headers = {{"if-none-match", HeaderOf(*files_.Get("/favicon.svg", HttpHead()), "ETag")}};
  EXPECT_EQ(files_.Get("/favicon.svg", head)->status, 304);
}

TEST_F(StaticFilesTest, PathsOfTheApplicationAreItsPage) {
  EXPECT_EQ(*files_.Get("/scores/421221", HttpHead())->shared_body, "<!doctype html>");
  EXPECT_EQ(files_.Get("/assets/none.js", HttpHead()), nullptr);
}

TEST_F(StaticFilesTest, NothingOutsideTheFolderIsThere) {
  for (const char* path : {"/../secret.txt", "/link.txt", "/assets/../../secret.txt",
                           "/./favicon.svg", "//favicon.svg", "/secret.txt"}) {
    EXPECT_EQ(files_.Get(path, HttpHead()), nullptr) << path;
  }
}

TEST(StaticFiles, AFolderThatIsNotThereIsSaid) {
  EXPECT_EQ(StaticFiles::Load("/nowhere/at/all").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(StaticFiles::Load("")->empty());
}

}  // namespace
}  // namespace fadu::gateway
