#include "compiler/cache/object_cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace weft::cache {
namespace {

namespace fs = std::filesystem;

class ObjectCacheTest : public testing::Test {
 protected:
  ObjectCacheTest() : folder_(testing::TempDir() + "weft_cache_" + std::to_string(::getpid())) {
    fs::remove_all(folder_);
  }
  ~ObjectCacheTest() override { fs::remove_all(folder_); }
  fs::path OnlyFile() const {
    for (const fs::directory_entry& file : fs::directory_iterator(folder_))
      if (file.path().extension() == ".weft-object") return file.path();
    return {};
  }

  std::string folder_;
};

TEST_F(ObjectCacheTest, FindsWhatWasKept) {
  ObjectCache cache(folder_, 1 << 20);
  EXPECT_FALSE(cache.Find("key").has_value());
  cache.Keep("key", "object");
  EXPECT_EQ(cache.Find("key"), "object");
  EXPECT_FALSE(cache.Find("other").has_value());
  EXPECT_EQ(cache.Clear(), 1);
  EXPECT_FALSE(cache.Find("key").has_value());
}

TEST_F(ObjectCacheTest, DamagedFilesCountAsAbsent) {
  ObjectCache cache(folder_, 1 << 20);
  cache.Keep("key", "object");
  std::fstream(OnlyFile(), std::ios::in | std::ios::out).seekp(34) << "X";
  EXPECT_FALSE(cache.Find("key").has_value());
  cache.Keep("key", "object");
  fs::resize_file(OnlyFile(), 35);
  EXPECT_FALSE(cache.Find("key").has_value());
}

TEST_F(ObjectCacheTest, KeepsWhatWasUsedLast) {
  ObjectCache cache(folder_, int64_t{3} * (32 + 100) * 32 / 31 + 1);  // of 32 parts one is to be filled
  for (const char* key : {"a", "b", "c"}) {
    cache.Keep(key, std::string(100, *key));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(cache.Find("a").has_value());  // used again
  cache.Keep("d", std::string(100, 'd'));
  EXPECT_TRUE(cache.Find("a").has_value());
  EXPECT_FALSE(cache.Find("b").has_value());
  EXPECT_TRUE(cache.Find("d").has_value());
}

TEST_F(ObjectCacheTest, LooksAtAllFilesOnlyAfterMuchWasAdded) {
  ObjectCache cache(folder_, 1 << 20);
  fs::create_directories(folder_);
  fs::path left = fs::path(folder_) / "killed.weft-object.1.2.tmp";
  std::ofstream(left) << "half";
  fs::last_write_time(left, fs::file_time_type::clock::now() - std::chrono::hours(2));
  cache.Keep("first", std::string(100, 'x'));
  EXPECT_TRUE(fs::exists(left));
  cache.Keep("second", std::string(1 << 15, 'x'));
  EXPECT_FALSE(fs::exists(left));
  std::ofstream(left) << "half";
  fs::last_write_time(left, fs::file_time_type::clock::now() - std::chrono::hours(2));
  cache.Keep("third", std::string(100, 'x'));  // counts from the last look
  EXPECT_TRUE(fs::exists(left));
  EXPECT_TRUE(cache.Find("first").has_value());
}

TEST_F(ObjectCacheTest, AFolderThatCannotBeMadeKeepsNothing) {
  ObjectCache cache("/proc/no/such/folder", 1 << 20);
  cache.Keep("key", "object");
  EXPECT_FALSE(cache.Find("key").has_value());
  EXPECT_EQ(cache.Measure().files, 0);
}

}  // namespace
}  // namespace weft::cache
