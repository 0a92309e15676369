#include "hostile/changes.h"
#include "hostile/good_run.h"

namespace saescope::hostile {
namespace {
constexpr std::size_t kDeep = 1'000'000;

Change content(const std::string& json) { return contents("{\"content\": " + json + "}\n"); }

}  // namespace

std::vector<Case> prompts_cases() {
  return {
      {"Empty", kPrompts, contents(""), "no prompt in it", "prompts"},
      {"OnlyABom", kPrompts, contents("\xEF\xBB\xBF"), "no prompt in it", "prompts"},
      {"OnlyBlankLines", kPrompts, contents("\n\r\n \t\n"), "no prompt in it", "prompts"},
      {"Utf16", kPrompts, contents(std::string("\xFF\xFE{\0\"\0", 6)), "written in UTF-16"},
      {"InvalidUtf8", kPrompts, content("\"a\xC3\x28\""), "not valid UTF-8", "prompts.jsonl:1"},
      {"OverlongUtf8", kPrompts, content("\"\xC0\x80\""), "not valid UTF-8", "prompts.jsonl:1"},
      {"SurrogateAsUtf8", kPrompts, content("\"\xED\xA0\x80\""), "not valid UTF-8", "prompts.jsonl:1"},
      {"SurrogateAlone", kPrompts, content(R"("a \ud800 b")"), "surrogate", "prompts.jsonl:1"},
      {"SurrogatesReversed", kPrompts, content(R"("\udc00\ud800")"), "surrogate", "prompts.jsonl:1"},
      {"NulByte", kPrompts, content(std::string("\"a\0b\"", 5)), "not valid JSON", "prompts.jsonl:1"},
      {"ControlCharacter", kPrompts, content("\"a\tb\""), "not valid JSON", "prompts.jsonl:1"},
      {"LineNumberOfTheBadLine", kPrompts, contents("{\"content\":\"a\"}\n\n{\"content\":\n"),
       "not valid JSON", "prompts.jsonl:3"},
      {"NestedDeep", kPrompts, nested("", "[", kDeep, "]"), "not a JSON object", "prompts.jsonl:1"},
      {"NestedDeepAndNotClosed", kPrompts, repeated("{\"content\":", "[", kDeep), "not valid JSON",
       "prompts.jsonl:1"},
      {"ContentNestedDeep", kPrompts, nested("{\"content\":", "[", kDeep, "]", "}"), "a list",
       "prompts.jsonl:1"},
      {"AList", kPrompts, contents("[\"a\"]"), "not a JSON object"},
      {"AText", kPrompts, contents("\"a\""), "not a JSON object"},
      {"NotJson", kPrompts, contents("How do you feel?\n"), "not valid JSON"},
      {"TwoObjectsInALine", kPrompts, contents("{\"content\":\"a\"}{\"content\":\"b\"}"), "not valid JSON"},
      {"ContentMissing", kPrompts, contents("{\"prompt\":\"a\"}"), "no content"},
      {"ContentEmpty", kPrompts, content("\"\""), "an empty string"},
      {"ContentIsANumber", kPrompts, content("7"), "a number"},
      {"ContentIsNull", kPrompts, content("null"), "null"},
      {"ContentTwiceAndTheLastIsBad", kPrompts, contents(R"({"content":"a","content":7})"), "a number"},
      {"LabelIsAList", kPrompts, contents(R"({"content":"a","label":[7]})"), "label is not a string"},
      {"ArrayThatDoesNotEnd", kPrompts, contents(R"([{"content":"a"},)"), "does not end"},
      {"TextBehindAnArray", kPrompts, contents("[{\"content\":\"a\"}]\nx"), "text behind the JSON array"},
      {"MessagesThatAreNone", kPrompts, contents(R"({"messages":[{"role":"user"}]})"), "without content"},
      {"MessagesEmpty", kPrompts, contents(R"({"messages":[]})"), "an empty list"},
      {"ATableWithoutContent", kPrompts, contents("content_id,label\n1,a\n"), "no content"},
      {"NumberOutOfRange", kPrompts, contents(R"({"content":"a","x":1e999})"), "not valid JSON"},
      {"MoreTokensThanTheContext", kPrompts, content("\"" + times("word ", 1'000) + "\""), "too long",
       "prompts.jsonl:1"},
      {"APromptOf7Megabytes", kPrompts, repeated("{\"content\":\"", "ab ", 7'000'000 / 3, "\"}"), "too long",
       "prompts.jsonl:1"},
      {"APromptOf7MegabytesInOnePiece", kPrompts, repeated("{\"content\":\"", "ab", 7'000'000 / 2, "\"}"),
       "too long", "prompts.jsonl:1"},
      {"ALineOf20Megabytes", kPrompts, repeated("{\"content\":\"", "a", 20'000'000, "\"}"),
       "line is too long", "prompts.jsonl:1"},
      {"AGigabyteOfOneLine", kPrompts, sparse("{\"content\":\"", kGigabyte), "line is too long"},
      {"AGigabyteOfNuls", kPrompts, sparse("", kGigabyte), "line is too long"},
      {"ATokenOf7MegabytesThatIsNoJson", kPrompts, repeated("{\"content\":\"", "a", 7'000'000),
       "not valid JSON", "prompts.jsonl:1"},
      {"AFolder", kPrompts, as_folder(), "not a file of prompts"},
      {"APipe", kPrompts, as_pipe(), "not a file of prompts"},
      {"DevZero", kPrompts, as_link_to("/dev/zero"), "not a file of prompts"},
      {"ALinkToNowhere", kPrompts, as_link_to("nowhere"), "not a file of prompts"},
      {"ALinkToItself", kPrompts, as_link_to("prompts.jsonl"), "not a file of prompts"},
      {"FolderWithoutPrompts", kPrompts, removed(), "holds no prompts", "prompts"},
  };
}

}  // namespace saescope::hostile
