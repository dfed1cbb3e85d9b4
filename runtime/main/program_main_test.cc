// The command line of programs, over a program made by hand: y[n] = x[n] + shift[0], and as many numbers of
// its own.

#include "runtime/main/program_main.h"

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "runtime/json.h"
#include "runtime/program_table.h"
#include "runtime/weft.h"

namespace weft::runtime {
namespace {

using testing::HasSubstr;

const int64_t kLength[] = {-1}, kOne[] = {1};
const char* const kN[] = {"N"};

const PortTable kInputs[] = {{"x", "what to shift", WEFT_F32, 1, kLength, kN, nullptr, nullptr},
                             {"k", "", WEFT_INT, 0, nullptr, nullptr, "0", "N"}};
const PortTable kOutputs[] = {{"y", "", WEFT_F32, 1, kLength, kN, nullptr, nullptr},
                              {"last", "", WEFT_INT, 0, nullptr, nullptr, nullptr, nullptr}};
const DimensionTable kDimensions[] = {{"N", 1, 5000, 1, 7}};
const WeightTable kWeights[] = {{"shift", WEFT_F32, 1, kOne, 0, 1, 2.0, 1, 0, 0, 0, 0, 0}};
const LaunchTable kLaunches[] = {{"k0", "y", "model.weft", 3, 1, 10, 8}};

int32_t Shapes(void*, const int64_t* inputs, int64_t* outputs) {
  outputs[0] = inputs[0];
  return 0;
}

int32_t Kernel(void*, void* const* buffers, const int64_t* extents) {
  for (int64_t i = 0; i < extents[0]; ++i)
    static_cast<float*>(buffers[1])[i] =
        static_cast<const float*>(buffers[0])[i] + *static_cast<const float*>(buffers[2]);
  return 0;
}

int32_t Run(void* context, const Frame* frame) {
  frame->slot_bytes[0] = 8 * frame->input_dims[0];
  if (int32_t result = weft_plan_segment(context, 0); result != 0) return result;
  std::memset(frame->slots[0], 1, static_cast<size_t>(8 * frame->input_dims[0]));
  *static_cast<int64_t*>(frame->outputs[1]) = *static_cast<const int64_t*>(frame->inputs[1]);
  void* buffers[] = {frame->inputs[0], frame->outputs[0], frame->weights[0]};
  return weft_launch(context, 0, Kernel, buffers, frame->input_dims);
}

// At three numbers it doubles.
int32_t RunThree(void* context, const Frame* frame) {
  if (int32_t result = Run(context, frame); result != 0) return result;
  for (int i = 0; i < 3; ++i) static_cast<float*>(frame->outputs[0])[i] *= 2;
  return 0;
}

const int64_t kThree[] = {3}, kAny[] = {-1};
const SlotTable kSlots[] = {{0, 0, 1}};
const CodeTable kCodes[] = {{kThree, "N = 3", 0, 1, kSlots, Shapes, RunThree, nullptr},
                            {kAny, "", 256, 1, kSlots, Shapes, Run, nullptr}};
const MethodTable kMethods[] = {{"forward", "Shifts.", 2, 2, kInputs, kOutputs, kCodes, 2, 0, 0, nullptr}};
const ProgramTable kTable = {
    kTableVersion, 1,         1,       1,       1,  0,       "model.weft", "shift", kDimensions, kWeights,
    kMethods,      kLaunches, nullptr, nullptr, "", nullptr, nullptr,      0,       nullptr};

struct Ended {
  int code;
  std::string out, err;
};

Ended Main(const std::vector<std::string>& words) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  int code = ProgramMain(kTable, "shift", words);
  std::string out = testing::internal::GetCapturedStdout();
  return {code, out, testing::internal::GetCapturedStderr()};
}

class ProgramMainTest : public testing::Test {
 protected:
  ProgramMainTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weft-test-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    WriteNumbers("x.npy", {1, 2, 3});
  }
  ~ProgramMainTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(Path(name), std::ios::binary) << bytes;
  }
  void WriteNumbers(const std::string& name, const std::vector<float>& values) {
    std::string header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(values.size()) + ",), }\n";
    Write(name, std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header +
                    std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
  }
  std::vector<std::string> Words(std::vector<std::string> more) const {
    more.insert(more.end(),
                {"--init", "1", "--threads", "2", "--input", "x=" + Path("x.npy"), "--input", "k=2"});
    return more;
  }

  std::string folder_;
};

TEST_F(ProgramMainTest, PrintsItsResults) {
  Ended ended = Main(Words({}));
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out, "y: f32[3]\n  [ 6,  8, 10]\nlast: int = 2\n");
}

TEST_F(ProgramMainTest, TakesTheCodeForItsSizes) {
  WriteNumbers("two.npy", {1, 2});
  Ended ended = Main({"--init", "1", "--input", "x=" + Path("two.npy"), "--input", "k=1"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out, "y: f32[2]\n  [3, 4]\nlast: int = 1\n");
}

TEST_F(ProgramMainTest, WritesItsResults) {
  EXPECT_EQ(Main(Words({"--output", "y=" + Path("y.npy")})).code, 0);
  EXPECT_EQ(std::filesystem::file_size(Path("y.npy")), 128 + 12);
  Ended ended = Main(Words({"--output=y=" + Path("none/y.npy")}));
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("output `y`: cannot write"));
}

TEST_F(ProgramMainTest, MeasuresAndProfiles) {
  Ended ended = Main(Words({"--bench", "--json", "--profile", Path("t.json")}));
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(Json::accept(ended.out)) << ended.out;
  EXPECT_THAT(ended.err, HasSubstr("model.weft:3"));
  std::ifstream stream(Path("t.json"));
  std::string trace((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  ASSERT_TRUE(Json::accept(trace)) << trace;
  Json events = Json::parse(trace)["traceEvents"];
  EXPECT_EQ(events[1]["name"], "forward");
  EXPECT_EQ(events[3]["args"]["launch"], 0);
  EXPECT_EQ(events[3]["args"]["sizes"], Json::array({3}));
}

TEST_F(ProgramMainTest, DescribesItself) {
  EXPECT_THAT(Main({"--describe"}).out, HasSubstr("input k: int in 0..N"));
  EXPECT_TRUE(Json::accept(Main({"--describe", "--json"}).out));
  EXPECT_THAT(Main({"--help"}).out, HasSubstr("Usage: shift"));
}

TEST_F(ProgramMainTest, SaysWhatIsWrong) {
  struct Case {
    std::vector<std::string> words;
    const char* error;
  };
  Write("empty", "");
  const Case cases[] = {
      {{"--inputs", "x=1"}, "unknown option `--inputs`; did you mean `--input`?"},
      {{"--input"}, "--input: 1 required NAME=FILE missing"},
      {{"--input", "x"}, "--input takes NAME=FILE"},
      {{"--input", "=x"}, "--input takes NAME=FILE"},
      {{"--threads", "0"}, "--threads takes a number in 1..1024"},
      {{"--threads", "99999999999999999999"}, "--threads takes a number"},
      {{"--json"}, "--json goes with"},
      {{"--help=yes"}, "--help"},
      {{"one", "two"}, "unexpected argument `two`"},
      {{"backward", "--init", "1"}, "there is no method `backward`"},
      {{"--init", "1"}, "input `x` is missing"},
      {{"--init", "x"}, "--init takes a whole number"},
      {{}, "needs weights: 1 tensors"},
      {{"--weights", Path("empty")}, "empty: it is too short"},
      {{"--weights", Path("none")}, "cannot read"},
      {{"--init", "1", "--input", "z=1"}, "has no input `z`"},
      {{"--init", "1", "--input", "x=" + Path("empty")}, "it is neither .npy nor .png nor .jpg"},
      {{"--init", "1", "--input", "x=" + Path("x.npy"), "--input", "k=3"},
       "`k` must be in 0..N, but it is 3"},
      {{"--init", "1", "--input", "x=" + Path("x.npy"), "--input", "k=one"}, "it is no int number either"},
      {{"--init", "1", "--input", "x=" + Path("x.npy"), "--input", "x=1"}, "--input is given twice for `x`"},
      {{"--init", "1", "--output", "z=1"}, "has no output `z`"},
  };
  for (const Case& wrong : cases) {
    SCOPED_TRACE(wrong.error);
    Ended ended = Main(wrong.words);
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr(wrong.error));
    EXPECT_EQ(ended.out, "");
  }
}

}  // namespace
}  // namespace weft::runtime
