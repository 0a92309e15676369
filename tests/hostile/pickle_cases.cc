#include "formats/format_testing.h"
#include "hostile/changes.h"
#include "hostile/good_run.h"
#include "hostile/torch_bytes.h"

namespace saescope::hostile {
namespace {

using pickle::global;
using pickle::text;
using testing::raw;

const std::string kProto = "\x80\x02";

/// A pickle of these opcodes.
Change program(const std::string& opcodes) { return torch_file(kProto + opcodes); }

/// A state dict whose only value these opcodes make.
Change value(const std::string& opcodes) { return program("}" + text("encoder.weight") + opcodes + "s."); }

/// One call with one text, as the pickles of attackers have it.
std::string call(const std::string& module, const std::string& name) {
  return global(module, name) + "(" + text("touch out/called") + "tR";
}

/// Every tuple holds the one before it twice: 2^40 elements, were they copied.
std::string doubled_tuples() {
  std::string opcodes = ")q" + std::string(1, '\0');
  for (char i = 1; i < 40; ++i) opcodes += std::string("h") + char(i - 1) + "h" + char(i - 1) + "\x86q" + i;
  return opcodes;
}

}  // namespace

std::vector<Case> pickle_cases() {
  constexpr std::size_t kMillion = 1'000'000;
  return {
      {"CallsOsSystem", kSae, value(call("os", "system")), "os.system, which is not on the allow-list"},
      {"CallsPosixSystem", kSae, value(call("posix", "system")),
       "posix.system, which is not on the allow-list"},
      {"CallsEval", kSae, value(call("builtins", "eval")), "builtins.eval, which is not on the allow-list"},
      {"CallsExecOfPython2", kSae, value(call("__builtin__", "exec")), "__builtin__.exec, which is not"},
      {"CallsTorchLoad", kSae, value(call("torch.serialization", "load")),
       "torch.serialization.load, which is not"},
      {"CallsGetattr", kSae, value(call("builtins", "getattr")), "builtins.getattr, which is not"},
      {"CallsByStackGlobal", kSae, value(text("os") + text("system") + "\x93(" + text("true") + "tR"),
       "os.system"},
      {"CallsByInst", kSae, value("(" + text("true") + "ios\nsystem\n"), "opcode 0x69"},
      {"CallsByObj", kSae, value("(" + global("torch", "FloatStorage") + "o"), "opcode 0x6f"},
      {"CallsByNewObj", kSae, value(global("torch", "FloatStorage") + ")\x81"), "opcode 0x81"},
      {"CallsByExtension", kSae, value("\x82\x01"), "opcode 0x82"},
      {"CallsAStorage", kSae, value(call("torch", "FloatStorage")), "encoder.weight"},
      {"SetsAttributesOfATensor", kSae, value(pickle::tensor({{1}, {1}}) + "}b"), "malformed"},
      {"GlobalWithoutEnd", kSae, program("cos\nsystem"), "ends inside"},
      {"GlobalOfAMegabyte", kSae, value(global(std::string(kMillion, 'a'), "b")), "not on the allow-list"},
      {"GlobalWithTerminalCommands", kSae, value(global("\x1B[2J\x07", "a")), "not on the allow-list"},
      {"Empty", kSae, torch_file(""), "ends inside"},
      {"OnlyStop", kSae, program("."), "malformed"},
      {"StopMissing", kSae, program("}"), "ends inside"},
      {"Protocol0", kSae, torch_file("(dp0\n."), "opcode 0x64"},
      {"Protocol99", kSae, torch_file("\x80\x63}."), "protocol 2 to 5"},
      {"UnknownOpcode", kSae, program("\xFF"), "opcode 0xff"},
      {"ALongOf2GiB", kSae, value("\x8B" + raw(uint32_t{0x7FFFFFFF})), "opcode 0x8b"},
      {"ALongOf255Bytes", kSae, value("\x8A\xFF" + std::string(255, '\x7F')), "64 bits"},
      {"ALongInDigits", kSae, value("L" + std::string(kMillion, '9') + "L\n"), "opcode 0x4c"},
      {"ATextOf4GiB", kSae, value("X" + raw(~uint32_t{0})), "ends inside"},
      {"ATextOf16EiB", kSae, value("\x8D" + raw(~uint64_t{0})), "ends inside"},
      {"AMillionMarks", kSae, program(std::string(kMillion, '(') + "."), "malformed"},
      {"AMillionTuplesInEachOther", kSae, program(")" + std::string(kMillion, '\x85') + "."),
       "does not hold a state dict"},
      {"AMillionDicts", kSae, program(std::string(kMillion, '}') + "."), "no tensor"},
      {"AMillionListsInEachOther", kSae,
       program(std::string(kMillion, ']') + std::string(kMillion, 'a') + "."), "malformed"},
      {"ThreeMillionValues", kSae, program("(" + std::string(3 * kMillion, 'N') + "t."),
       "does not hold a state dict"},
      {"FiveMillionValues", kSae, program("(" + std::string(5 * kMillion, 'N') + "t."), "too long"},
      {"MemoOfDoubledTuples", kSae, value("(" + doubled_tuples() + "t"), "a tuple"},
      {"MemoNeverSet", kSae, value("h\x07"), "memorised"},
      {"MemoAtTheLargestIndex", kSae, value("Nr" + raw(~uint32_t{0}) + "0"), "opcode 0x30"},
      {"DictThatHoldsItself", kSae,
       program("}q" + std::string(1, '\0') + text("encoder.weight") + "h" + std::string(1, '\0') + "s."),
       "a dict"},
      {"StackUnderflow", kSae, program("tttt."), "mark"},
      {"SetItemsOfANumber", kSae, program("K\x01(" + text("a") + "Nu."), "a dict and pairs"},
      {"SetItemsOfHalfAPair", kSae, program("}(" + text("a") + "u."), "a dict and pairs"},
      {"KeyIsANumber", kSae, program("}K\x01Ns."), "no text"},
      {"KeyTwice", kSae, program("}(" + text("a") + "K\x01" + text("a") + "K\x02u."), "occurs twice"},
      {"RootIsANumber", kSae, program("K\x01."), "does not hold a state dict"},
      {"StorageNotAPersistentId", kSae,
       value(global("torch._utils", "_rebuild_tensor_v2") + "(NK\x01K\x01K\x01tR"), "malformed"},
  };
}

std::vector<Case> tensor_cases() {
  using pickle::tensor;
  const std::string weight = "encoder.weight";
  constexpr int64_t kHuge = int64_t{1} << 62;
  return {
      {"ShapeNegative", kSae, sae_with(weight, tensor({{-256, 32}, {32, 1}})), "integer from 0 on"},
      {"ShapeOverflows", kSae, sae_with(weight, tensor({{kHuge, 32}, {32, 1}})), "64 bits"},
      {"ShapeOf65Dimensions", kSae,
       sae_with(weight, tensor({std::vector<int64_t>(65, 1), std::vector<int64_t>(65, 1)})), "at most 64"},
      {"ShapeWithoutStrides", kSae, sae_with(weight, tensor({{256, 32}, {32}})), "a stride for each axis"},
      {"StrideNegative", kSae, sae_with(weight, tensor({{256, 32}, {-32, 1}})), "integer from 0 on"},
      {"StridePastTheStorage", kSae, sae_with(weight, tensor({{256, 32}, {33, 1}})), "leaves its storage"},
      {"StrideOverflows", kSae, sae_with(weight, tensor({{256, 32}, {kHuge, 1}})), "leaves its storage"},
      {"StridesOfNeitherRowsNorColumns", kSae, sae_with(weight, tensor({{128, 32}, {64, 2}})),
       "unusable strides"},
      {"StrideZeroOverATrillionFeatures", kSae, sae_with(weight, tensor({{int64_t{1} << 40, 32}, {0, 1}})),
       "strides"},
      {"RowsOverlap", kSae, sae_with(weight, tensor({{4096, 32}, {1, 1}})), "strides"},
      {"BiasOfStrideZero", kSae, sae_with("encoder.bias", tensor({{256}, {0}})), "strides"},
      {"OffsetPastTheStorage", kSae, sae_with(weight, tensor({{256, 32}, {32, 1}, 1})), "leaves its storage"},
      {"OffsetOverflows", kSae, sae_with(weight, tensor({{256, 32}, {32, 1}, ~(int64_t{1} << 63)})),
       "leaves its storage"},
      {"OffsetNegative", kSae, sae_with(weight, tensor({{256, 32}, {32, 1}, -1})), "integer from 0 on"},
      {"StorageClaimsMoreThanItHas", kSae, sae_with(weight, tensor({{256, 32}, {32, 1}, 0, 8193})),
       "too short"},
      {"StorageCountOverflows", kSae, sae_with(weight, tensor({{256, 32}, {32, 1}, 0, kHuge})), "too short"},
      {"StorageClaimsLessThanTheTensor", kSae, sae_with(weight, tensor({{256, 32}, {32, 1}, 0, 8191})),
       "leaves its storage"},
      {"StorageMissing", kSae, sae_with(weight, tensor({{256, 32}, {32, 1}, 0, 8192, "7"})),
       "has no storage"},
      {"StorageAboveTheFolder", kSae, sae_with(weight, tensor({{256, 32}, {32, 1}, 0, 8192, "../data.pkl"})),
       "has no storage"},
      {"StorageOfDoubles", kSae,
       sae_with(weight, tensor({{256, 32}, {32, 1}, 0, 4096, "0", "DoubleStorage"})),
       "torch.DoubleStorage, which is not"},
      {"WeightOfIntegers", kSae, sae_with(weight, tensor({{256, 32}, {32, 1}, 0, 8192, "0", "IntStorage"})),
       "a float matrix"},
      {"WeightMissing", kSae, sae_with(weight, ""), "no tensor `encoder.weight`"},
      {"WeightIsAVector", kSae, sae_with(weight, tensor({{8192}, {1}})), "a float matrix"},
      {"WeightIsEmpty", kSae, sae_with(weight, tensor({{0, 32}, {32, 1}})), "a float matrix"},
      {"WeightIsANumber", kSae, sae_with(weight, pickle::integer(3)), "no tensor `encoder.weight`"},
      {"WeightOfAnotherModel", kSae, sae_with(weight, tensor({{256, 16}, {16, 1}})), "activation_dim"},
      {"BiasOfAnotherSize", kSae, sae_with("encoder.bias", tensor({{255}, {1}})), R"(floats \[256\])"},
      {"ThresholdMissing", kSae, sae_with("threshold", ""), "no tensor `threshold`"},
      {"ThresholdIsNan", kSae, sae_with("threshold", std::string("G\x7F\xF8\0\0\0\0\0\0", 9)),
       "`threshold` holds a value that is no number"},
      {"ThresholdIsAMatrix", kSae, sae_with("threshold", tensor({{2, 2}, {2, 1}})), "one number"},
      {"KOfAnotherSize", kSae, sae_with("k", pickle::integer(17)), "disagree about k"},
  };
}

}  // namespace saescope::hostile
