#include "runtime/input_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace weft::runtime {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class InputFileTest : public testing::Test {
 protected:
  InputFileTest() : path_(testing::TempDir() + "weft_input_file_" + std::to_string(::getpid())) {
    std::ofstream(path_) << "0123456789";
  }
  ~InputFileTest() override { ::unlink(path_.c_str()); }

  std::string path_;
};

TEST_F(InputFileTest, ReadsPartsAndTheWhole) {
  Result<InputFile> file = InputFile::Open(path_);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->size(), 10);
  char part[3];
  ASSERT_TRUE(file->Read(7, part, 3).ok());
  EXPECT_EQ(std::string(part, 3), "789");
  EXPECT_EQ(*file->ReadAll(), "0123456789");
}

TEST_F(InputFileTest, AFileThatBecameShorterIsAnError) {
  Result<InputFile> file = InputFile::Open(path_);
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(::truncate(path_.c_str(), 8), 0);
  char part[3];
  Status status = file->Read(7, part, 3);
  EXPECT_THAT(status.message(), HasSubstr(path_));
  EXPECT_THAT(status.message(), EndsWith("it has become shorter while it was read"));
  EXPECT_FALSE(file->ReadAll().ok());
  EXPECT_TRUE(file->Read(7, part, 1).ok());
}

TEST_F(InputFileTest, OnlyFilesAreRead) {
  EXPECT_THAT(InputFile::Open("/dev/zero").status().message(), EndsWith("it is no file"));
  EXPECT_THAT(InputFile::Open(testing::TempDir()).status().message(), EndsWith("it is no file"));
  EXPECT_THAT(InputFile::Open(path_ + ".not").status().message(), HasSubstr("No such file"));
}

}  // namespace
}  // namespace weft::runtime
