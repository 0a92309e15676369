// Real tokenizers against ids of the Python library `tokenizers`. Their files are not part of the
// repository: tools/fetch_tokenizers.sh puts them where this test looks, or SAESCOPE_TOKENIZERS names
// another folder. The goldens are written by tools/oracle/make_tokenizer_goldens.py.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "golden_files.h"
#include "text/tokenizer.h"

namespace saescope {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<TokenId>;
namespace fs = std::filesystem;

constexpr std::size_t kGroup = 50;  // texts per hash

fs::path goldens_folder() { return fs::path(SAESCOPE_SOURCE_DIR) / "tests/goldens/tokenizers"; }

// A line is a string, or ["unit", count] for that many repetitions.
std::vector<std::string> read_texts() {
  std::vector<std::string> texts;
  std::ifstream file(goldens_folder() / "texts.jsonl");
  for (std::string line; std::getline(file, line);) {
    const Json json = Json::parse(line);
    if (json.is_string()) {
      texts.push_back(json);
      continue;
    }
    const auto unit = json[0].get<std::string>();
    std::string text;
    for (int i = 0; i < json[1].get<int>(); ++i) text += unit;
    texts.push_back(text);
  }
  return texts;
}

// FNV-1a over the number of ids of each text and the ids, a word at a time, as the script computes it.
class IdHash {
 public:
  void add(const Ids& ids) {
    add_word(ids.size());
    for (const TokenId id : ids) add_word(static_cast<uint32_t>(id));
  }
  std::string text() const {
    char buffer[17];
    std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(value_));
    return buffer;
  }

 private:
  void add_word(uint64_t word) { value_ = (value_ ^ word) * 0x100000001B3u; }
  uint64_t value_ = 0xCBF29CE484222325u;
};

void expect_golden_ids(const Tokenizer& tokenizer, const Json& golden) {
  const std::vector<std::string> texts = read_texts();
  ASSERT_GT(texts.size(), 2000u);
  for (std::size_t i = 0; i < golden["ids"].size(); ++i) {
    EXPECT_EQ(tokenizer.encode(texts[i]), golden["ids"][i].get<Ids>()) << texts[i];
  }
  for (std::size_t begin = 0; begin < texts.size(); begin += kGroup) {
    IdHash hash;
    for (std::size_t i = begin; i < std::min(begin + kGroup, texts.size()); ++i) {
      const Ids ids = tokenizer.encode(texts[i]);
      hash.add(ids);
      std::string joined;
      const auto parts = tokenizer.token_texts(texts[i]);
      for (const std::string_view part : parts) joined += part;
      EXPECT_EQ(parts.size(), ids.size()) << texts[i];
      EXPECT_EQ(joined, ids.empty() ? "" : texts[i]);
    }
    EXPECT_EQ(hash.text(), golden["groups"][begin / kGroup].get<std::string>())
        << "texts from line " << begin + 1;
  }
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Where a text's last character begins, and its second one.
std::size_t last_character(const std::string& text) {
  std::size_t at = text.size() - 1;
  while (continues_character(text[at])) --at;
  return at;
}
std::size_t second_character(const std::string& text) {
  std::size_t at = 1;
  while (at < text.size() && continues_character(text[at])) ++at;
  return at;
}

// Every added token alone, inside a word, repeated, and cut in the middle.
void expect_golden_added_tokens(const Tokenizer& tokenizer, const Json& file, const Json& golden) {
  IdHash hash;
  for (const Json& token : file["added_tokens"]) {
    const auto content = token["content"].get<std::string>();
    hash.add(tokenizer.encode(content));
    hash.add(tokenizer.encode("a" + content + "b"));
    hash.add(tokenizer.encode("Hi  " + content + " \n x" + content + content + "\n" +
                              content.substr(0, last_character(content)) +
                              content.substr(second_character(content))));
  }
  EXPECT_EQ(hash.text(), golden["added_tokens"].get<std::string>());
}

Json read_golden(const std::string& name) {
  return Json::parse(read_file(goldens_folder() / (name + ".json")));
}

std::string skip_message(const fs::path& path) {
  return "NOT TESTED: " + path.string() + " is missing; run tools/fetch_tokenizers.sh";
}

class RealTokenizer : public ::testing::TestWithParam<const char*> {};

TEST_P(RealTokenizer, GivesTheLibrarysIds) {
  const fs::path path = testing_support::real_tokenizers() / GetParam() / "tokenizer.json";
  if (!fs::exists(path)) GTEST_SKIP() << skip_message(path);
  const std::string json = read_file(path);
  const Tokenizer tokenizer = Tokenizer::from_tokenizer_json(json, path.string());
  const Json golden = read_golden(GetParam());
  expect_golden_ids(tokenizer, golden);
  expect_golden_added_tokens(tokenizer, Json::parse(json), golden);
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, RealTokenizer,
                         ::testing::Values("gemini", "gemma3", "gptoss", "llama2", "llama3_1", "llama3_2",
                                           "mistral_nemo", "qwen2_5", "qwen3"),
                         [](const auto& test) { return test.param; });

// The vocabulary as make_tokenizer_goldens.py --gguf takes it out of the file.
TEST(GgufTokenizer, GivesTheIdsOfTheModelsPipeline) {
  const fs::path path = testing_support::real_tokenizers() / "smollm2_gguf" / "vocabulary.json";
  if (!fs::exists(path)) {
    GTEST_SKIP() << "NOT TESTED: " << path << " is missing; "
                 << "tools/oracle/make_tokenizer_goldens.py --gguf writes it";
  }
  const Json json = Json::parse(read_file(path));
  const GgufVocabulary vocabulary = {json["model"], json["pre"], json["tokens"], json["merges"],
                                     json["types"]};
  expect_golden_ids(Tokenizer::from_gguf(vocabulary, path.string()), read_golden("smollm2_gguf"));
}

/// The vocabulary of a tokenizer.json as converters to GGUF write it down.
GgufVocabulary as_gguf(const Json& file, const std::string& architecture, const std::string& pre) {
  constexpr int32_t kNormal = 1;
  constexpr int32_t kControl = 3;
  GgufVocabulary vocabulary;
  vocabulary.model = "gpt2";
  vocabulary.pre = pre;
  vocabulary.architecture = architecture;
  const Json& model = file["model"];
  vocabulary.tokens.resize(model["vocab"].size());
  for (const auto& [token, id] : model["vocab"].items()) vocabulary.tokens.at(id.get<std::size_t>()) = token;
  vocabulary.types.assign(vocabulary.tokens.size(), kNormal);
  for (const Json& token : file["added_tokens"]) {
    const auto id = token["id"].get<std::size_t>();
    vocabulary.tokens.resize(std::max(vocabulary.tokens.size(), id + 1));
    vocabulary.types.resize(vocabulary.tokens.size(), kNormal);
    vocabulary.tokens[id] = token["content"].get<std::string>();
    vocabulary.types[id] = kControl;
  }
  for (const Json& merge : model["merges"]) {
    vocabulary.merges.push_back(merge.is_string()
                                    ? merge.get<std::string>()
                                    : merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  }
  return vocabulary;
}

struct GgufCase {
  const char* folder;
  const char* architecture;
  const char* pre;
};

void expect_ids_from_gguf(const std::vector<GgufCase>& cases) {
  for (const GgufCase& c : cases) {
    const fs::path path = testing_support::real_tokenizers() / c.folder / "tokenizer.json";
    if (!fs::exists(path)) GTEST_SKIP() << skip_message(path);
    SCOPED_TRACE(std::string(c.folder) + " as '" + c.pre + "'");
    const Tokenizer tokenizer =
        Tokenizer::from_gguf(as_gguf(Json::parse(read_file(path)), c.architecture, c.pre), "model.gguf");
    EXPECT_TRUE(tokenizer.remark().empty());
    expect_golden_ids(tokenizer, read_golden(c.folder));
  }
}

/// Files of early 2024 name no pre-tokenizer, some converters wrote "default", and Smaug has a name of its
/// own.
TEST(GgufTokenizer, KnowsAVocabularyWhosePreTokenizerIsNotNamed) {
  expect_ids_from_gguf({{"llama3_1", "llama", ""},
                        {"llama3_1", "llama", "default"},
                        {"llama3_1", "llama", "smaug-bpe"},
                        {"qwen2_5", "qwen2", ""},
                        {"qwen2_5", "qwen2", "default"}});
}

TEST(GgufTokenizer, KnowsTheSplittingOfO200kAndOfTekkenByTheirNames) {
  expect_ids_from_gguf(
      {{"gptoss", "gpt-oss", "gpt-4o"}, {"mistral_nemo", "llama", "tekken"}, {"qwen3", "qwen3", "qwen2"}});
}

}  // namespace
}  // namespace saescope
