// Against ids that the Python library `tokenizers` gave (tools/oracle/make_tokenizer_goldens.py).

#include "text/tokenizer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer/byte_level.h"

namespace saescope {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ids = std::vector<TokenId>;

Json read_golden(const std::string& name) {
  const std::string folder = std::string(SAESCOPE_SOURCE_DIR) + "/tests/goldens/tokenizers/";
  return Json::parse(read_file(folder + name));
}

// FNV-1a over each text's number of ids and the ids, a word at a time, as the script computes it.
std::string hash_of(const std::vector<Ids>& texts) {
  uint64_t hash = 0xCBF29CE484222325u;
  const auto add = [&](uint64_t word) { hash = (hash ^ word) * 0x100000001B3u; };
  for (const Ids& ids : texts) {
    add(ids.size());
    for (const TokenId id : ids) add(static_cast<uint32_t>(id));
  }
  return fmt::format("{:016x}", hash);
}

// A tokenizer.json with the 256 bytes (id = byte) and some merges, as a document to change.
Json byte_tokenizer() {
  Json json = read_golden("unicode.json")["pipelines"][0]["tokenizer"];
  Json vocab = Json::object();
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    vocab[spell_bytes({&c, 1})] = byte;
  }
  json["model"]["vocab"] = vocab;
  json["model"]["merges"] = Json::array();
  json["pre_tokenizer"] = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  return json;
}

Tokenizer make(const Json& json) { return Tokenizer::from_tokenizer_json(json.dump(), "tokenizer.json"); }

std::string error_of(const std::string& json) {
  try {
    Tokenizer::from_tokenizer_json(json, "tokenizer.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

Ids bytes_as_ids(std::string_view text) {
  Ids ids;
  for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
  return ids;
}

TEST(TokenizerJson, GivesTheLibrarysIdsForEveryComponent) {
  const Json golden = read_golden("synthetic.json");
  for (const Json& test : golden["cases"]) {
    const Tokenizer tokenizer = make(test["tokenizer"]);
    for (std::size_t i = 0; i < golden["texts"].size(); ++i) {
      const auto text = golden["texts"][i].get<std::string>();
      EXPECT_EQ(tokenizer.encode(text), test["ids"][i].get<Ids>()) << test["name"] << ": " << text;
      EXPECT_EQ(tokenizer.encode(text), test["ids"][i].get<Ids>()) << "from the cache";
    }
  }
}

TEST(TokenizerGguf, GivesTheIdsOfTheModelFamilysPipeline) {
  const Json golden = read_golden("synthetic.json");
  for (const Json& test : golden["gguf"]) {
    const Json& json = test["vocabulary"];
    const GgufVocabulary vocabulary = {json["model"], json["pre"], json["tokens"], json["merges"],
                                       json["types"]};
    const Tokenizer tokenizer = Tokenizer::from_gguf(vocabulary, "model.gguf");
    for (std::size_t i = 0; i < golden["texts"].size(); ++i) {
      const auto text = golden["texts"][i].get<std::string>();
      EXPECT_EQ(tokenizer.encode(text), test["ids"][i].get<Ids>()) << vocabulary.pre << ": " << text;
    }
  }
}

// Of a tokenizer over characters: ids, and that the parts that its tokens stand for make the text.
void expect_ids(const Tokenizer& tokenizer, const Json& golden, const Json& test, const std::string& name) {
  for (std::size_t i = 0; i < golden["texts"].size(); ++i) {
    const auto text = golden["texts"][i].get<std::string>();
    const Ids ids = tokenizer.encode(text);
    EXPECT_EQ(ids, test["ids"][i].get<Ids>()) << name << ": " << text;
    EXPECT_EQ(tokenizer.encode(text), ids) << "from the cache";
    std::string joined;
    const auto parts = tokenizer.token_texts(text);
    for (const std::string_view part : parts) joined += part;
    EXPECT_EQ(parts.size(), ids.size()) << name << ": " << text;
    EXPECT_EQ(joined, ids.empty() ? "" : text) << name;
  }
  std::vector<Ids> long_ids;
  for (const Json& text : golden["long_texts"]) long_ids.push_back(tokenizer.encode(text.get<std::string>()));
  EXPECT_EQ(hash_of(long_ids), test["hash"].get<std::string>()) << name;
}

TEST(TokenizerJson, GivesTheLibrarysIdsForVocabulariesOfCharacters) {
  const Json golden = read_golden("characters.json");
  for (const Json& test : golden["cases"]) {
    expect_ids(make(test["tokenizer"]), golden, test, test["name"].get<std::string>());
  }
}

TEST(TokenizerGguf, GivesTransformersIdsForSentencePieceVocabularies) {
  const Json golden = read_golden("characters.json");
  for (const Json& test : golden["gguf"]) {
    const Json& json = test["vocabulary"];
    const GgufVocabulary vocabulary = {.model = json["model"],
                                       .pre = json["pre"],
                                       .tokens = json["tokens"],
                                       .merges = {},
                                       .types = json["types"],
                                       .architecture = json["architecture"],
                                       .scores = json["scores"],
                                       .add_space_prefix = json["add_space_prefix"]};
    expect_ids(Tokenizer::from_gguf(vocabulary, "model.gguf"), golden, test, vocabulary.architecture);
  }
}

Json character_tokenizer(std::string_view name) {
  const Json golden = read_golden("characters.json");
  for (const Json& test : golden["cases"]) {
    if (test["name"] == name) return test["tokenizer"];
  }
  return nullptr;
}

// All code points of a block of 4096 in the text that the script's unicode_text makes.
std::string unicode_text(char32_t block, bool normalised) {
  std::string text;
  for (char32_t c = block << 12; c < (block + 1) << 12; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string s;
    append_utf8(s, c);
    text += normalised ? s + "\u0301\na\u0315" + s + "\u0334\u0323\n" : "a" + s + "a\n";
  }
  return text;
}

TEST(TokenizerJson, ClassifiesAndNormalisesEveryCodePointAsTheLibraryDoes) {
  const Json golden = read_golden("unicode.json");
  for (const Json& pipeline : golden["pipelines"]) {
    const Tokenizer tokenizer = make(pipeline["tokenizer"]);
    const bool normalised = !pipeline["tokenizer"]["normalizer"].is_null();
    for (std::size_t i = 0; i < golden["blocks"].size(); ++i) {
      const auto block = golden["blocks"][i].get<char32_t>();
      EXPECT_EQ(hash_of({tokenizer.encode(unicode_text(block, normalised))}),
                pipeline["hashes"][i].get<std::string>())
          << pipeline["name"] << ", code points from " << std::hex << (block << 12);
    }
  }
}

TEST(Tokenizer, DecodesWhatItEncodes) {
  const Json golden = read_golden("synthetic.json");
  const Tokenizer tokenizer = make(golden["cases"][0]["tokenizer"]);
  for (const Json& text : golden["texts"]) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text.get<std::string>())), text.get<std::string>());
  }
}

std::vector<std::string> texts_of(const Json& tokenizer, std::string_view text) {
  std::vector<std::string> texts;
  for (const std::string_view part : make(tokenizer).token_texts(text)) texts.emplace_back(part);
  return texts;
}

Json added_token(std::string_view content) {
  return {{"id", 256},       {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

TEST(TokenTexts, ACharacterThatIsSplitOverTokensBelongsToTheLastOfThem) {
  EXPECT_THAT(texts_of(byte_tokenizer(), "aé😀b"), ElementsAre("a", "", "é", "", "", "", "😀", "b"));
}

TEST(TokenTexts, AnAddedTokenHasTheWhiteSpaceThatItTakesAlong) {
  Json json = byte_tokenizer();
  Json token = added_token("<x>");
  token["lstrip"] = true;
  token["rstrip"] = true;
  json["added_tokens"] = Json::array({token});
  EXPECT_THAT(texts_of(json, "a <x>\n b"), ElementsAre("a", " <x>\n ", "b"));
}

TEST(TokenTexts, ComposedCharactersLeadBackToTheirParts) {
  Json json = byte_tokenizer();
  json["normalizer"] = {{"type", "NFC"}};
  json["added_tokens"] = Json::array({added_token("<x>")});
  // e and an acute accent become two bytes; what follows is again byte by byte.
  EXPECT_THAT(texts_of(json, "a<x>e\u0301 bc<x>d"),
              ElementsAre("a", "<x>", "e", "\u0301", " ", "b", "c", "<x>", "d"));
  for (const std::string text :
       {"\u1112\u1161\u11AB\u1100\u1173\u11AF ok", "\u0301\u0301x", "ä̧ö́Å", "中文e\u0301中文", "中e\u0301"}) {
    std::string joined;
    for (const std::string& part : texts_of(json, text)) joined += part;
    EXPECT_EQ(joined, text);
  }
  EXPECT_EQ(texts_of(json, "中e\u0301文").back(), "文");
}

TEST(TokenTexts, SpacesThatAreOnlyPutInOrLeftOutJoinAllTheSame) {
  Json json = byte_tokenizer();
  json["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers", Json::array({{{"type", "WhitespaceSplit"}},
                                                          {{"type", "ByteLevel"},
                                                           {"add_prefix_space", true},
                                                           {"trim_offsets", true},
                                                           {"use_regex", false}}})}};
  EXPECT_THAT(texts_of(json, "ab  c "), ElementsAre("", "a", "b", "  ", "c "));
}

TEST(TokenTexts, AMarkIsTheSpaceItStandsForAndNothingWhereItWasPutIn) {
  EXPECT_THAT(texts_of(character_tokenizer("gemma"), "the\u00e8 the"),
              ElementsAre("the", "", "\u00e8", " the"));
  EXPECT_THAT(texts_of(character_tokenizer("llama 2"), "<s>no<s>x"),
              ElementsAre("<s>", "no", "<s>", "", "x"));
  EXPECT_THAT(texts_of(character_tokenizer("metaspace first False"), "no<s>on"),
              ElementsAre("no", "<s>", "on"));
}

TEST(Tokenizer, TokensOfCharactersStandForTheirTextAndTokensOfBytesForAByte) {
  const Tokenizer tokenizer = make(character_tokenizer("gemma"));
  EXPECT_EQ(tokenizer.token_bytes(*tokenizer.find("\u2581the")), " the");
  EXPECT_EQ(tokenizer.token_bytes(*tokenizer.find("<0xC3>")), "\xC3");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("the thing\u00e8")), "the thing\u00e8");
}

TEST(Tokenizer, FindsTokensBySpellingAndAddedTokensByText) {
  Json json = byte_tokenizer();
  json["added_tokens"] = Json::array({{{"id", 256},
                                       {"content", "<é>"},
                                       {"single_word", false},
                                       {"lstrip", false},
                                       {"rstrip", false},
                                       {"normalized", false},
                                       {"special", true}}});
  const Tokenizer tokenizer = make(json);
  EXPECT_EQ(tokenizer.find("Ġ"), 32);
  EXPECT_EQ(tokenizer.find("<é>"), 256);
  EXPECT_EQ(tokenizer.find("nothing"), std::nullopt);
  EXPECT_EQ(tokenizer.size(), 257u);
  EXPECT_EQ(tokenizer.token_bytes(256), "<é>");
  EXPECT_EQ(tokenizer.token_bytes(0xC3), "\xC3");
  EXPECT_EQ(tokenizer.token_bytes(1000), "");
  EXPECT_EQ(tokenizer.token_bytes(-1), "");
}

TEST(Tokenizer, EncodesVeryLongRunsOfOneCharacter) {
  const Tokenizer tokenizer = make(byte_tokenizer());
  for (const std::string unit : {"a", " ", "\n", "7", "!", "é", " \n", "a ", "\u0301"}) {
    std::string text;
    while (text.size() < 1'000'000) text += unit;
    EXPECT_EQ(tokenizer.encode(text), bytes_as_ids(text)) << unit;
  }
}

TEST(Tokenizer, NormalisesALongRunOfUnorderedMarks) {
  Json json = byte_tokenizer();
  json["normalizer"] = {{"type", "NFC"}};
  std::string text = "a";
  std::string above;
  std::string below;
  for (int i = 0; i < 100'000; ++i) {
    text += "\u0315\u0316";
    above += "\u0315";
    below += "\u0316";
  }
  EXPECT_EQ(make(json).encode(text), bytes_as_ids("a" + below + above));
}

TEST(Tokenizer, MergesAVeryLongWord) {
  Json json = byte_tokenizer();
  json["model"]["vocab"]["aa"] = 256;
  json["model"]["vocab"]["aaaa"] = 257;
  json["model"]["merges"] = {"a a", "aa aa"};
  const Ids ids = make(json).encode(std::string(1'000'003, 'a'));
  ASSERT_EQ(ids.size(), 250'002u);
  EXPECT_EQ(ids[0], 257);
  EXPECT_EQ(ids[250'000], 256);
  EXPECT_EQ(ids[250'001], 'a');
}

TEST(Tokenizer, ManyThreadsGetTheSameIds) {
  const Json golden = read_golden("synthetic.json");
  const Json& test = golden["cases"][4];
  const Tokenizer tokenizer = make(test["tokenizer"]);
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        for (std::size_t i = 0; i < golden["texts"].size(); ++i) {
          const auto text = golden["texts"][i].get<std::string>();
          count += tokenizer.encode(text) != test["ids"][i].get<Ids>();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  EXPECT_THROW(make(byte_tokenizer()).encode("a\xFF"), InputError);
}

struct BadTokenizer {
  const char* name;
  const char* pointer;  // JSON pointer of what is replaced
  const char* value;
  const char* message;
};

class BadTokenizerJson : public ::testing::TestWithParam<BadTokenizer> {};

TEST_P(BadTokenizerJson, IsRefusedWithTheReason) {
  Json json = byte_tokenizer();
  json[Json::json_pointer(GetParam().pointer)] = Json::parse(GetParam().value);
  EXPECT_THAT(error_of(json.dump()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Tokenizer, BadTokenizerJson,
    ::testing::Values(
        BadTokenizer{"model", "/model/type", "\"Unigram\"", "Unigram"},
        BadTokenizer{"dropout", "/model/dropout", "0.1", "dropout"},
        BadTokenizer{"prefix", "/model/continuing_subword_prefix", "\"##\"", "subword_prefix"},
        BadTokenizer{"suffix", "/model/end_of_word_suffix", "\"</w>\"", "end_of_word_suffix"},
        BadTokenizer{"flag", "/model/ignore_merges", "1", "ignore_merges"},
        BadTokenizer{"merge_parts", "/model/merges", "[\"a b c\"]", "malformed merge"},
        BadTokenizer{"merge_pair", "/model/merges", "[[\"a\"]]", "two tokens in a merge"},
        BadTokenizer{"merge_token", "/model/merges", "[\"a b\"]", "not in the vocabulary"},
        BadTokenizer{"merge_spelling", "/model/merges", "[[\"a\",\"\\u4e00\"]]", "alphabet"},
        BadTokenizer{"large_id", "/model/vocab/a", "99999999999", "out of range"},
        BadTokenizer{"negative_id", "/model/vocab/a", "-1", "whole number"},
        BadTokenizer{"same_id", "/model/vocab/a", "98", "same id"},
        BadTokenizer{"no_vocab", "/model/vocab", "[]", "malformed JSON"},
        BadTokenizer{"normalizer", "/normalizer", "{\"type\":\"Lowercase\"}", "Lowercase"},
        BadTokenizer{"untyped", "/normalizer", "{}", "\"type\""},
        BadTokenizer{"pre_tokenizer", "/pre_tokenizer", "{\"type\":\"Punctuation\"}", "Punctuation"},
        BadTokenizer{"metaspace", "/pre_tokenizer", "{\"type\":\"Metaspace\"}", "replacement"},
        BadTokenizer{"metaspace_mark", "/pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":\"__\"}",
                     "not one character"},
        BadTokenizer{"metaspace_scheme", "/pre_tokenizer",
                     "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"last\"}",
                     "always, first or never"},
        BadTokenizer{"metaspace_contradiction", "/pre_tokenizer",
                     "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"first\","
                     "\"add_prefix_space\":false}",
                     "contradict"},
        // Without ByteLevel the vocabulary is one of characters, and its decoder counts.
        BadTokenizer{"decoder", "/pre_tokenizer", "null", "decoder \"ByteLevel\" is not implemented"},
        BadTokenizer{"empty_replace", "/normalizer",
                     "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"x\"}", "empty"},
        BadTokenizer{"replace_content", "/normalizer",
                     "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"}}", "content"},
        BadTokenizer{"prepend", "/normalizer", "{\"type\":\"Prepend\"}", "prepend"},
        BadTokenizer{"after_byte_level", "/pre_tokenizer",
                     "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\","
                     "\"add_prefix_space\":false},{\"type\":\"WhitespaceSplit\"}]}",
                     "after ByteLevel"},
        BadTokenizer{"behavior", "/pre_tokenizer",
                     "{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Other\","
                     "\"invert\":false}",
                     "behavior"},
        BadTokenizer{"pattern", "/pre_tokenizer",
                     "{\"type\":\"Split\",\"pattern\":{},\"behavior\":\"Removed\",\"invert\":false}",
                     "String"},
        BadTokenizer{"empty_pattern", "/pre_tokenizer",
                     "{\"type\":\"Split\",\"pattern\":{\"String\":\"\"},\"behavior\":\"Removed\","
                     "\"invert\":false}",
                     "empty"},
        BadTokenizer{"added_tokens", "/added_tokens", "{\"a\":1}", "added token"},
        BadTokenizer{"added_token", "/added_tokens", "[{\"content\":\"x\"}]", "single_word"}),
    [](const auto& test) { return test.param.name; });

TEST(TokenizerJson, RefusesWhatIsNoTokenizer) {
  EXPECT_THAT(error_of(""), HasSubstr("malformed JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("malformed JSON"));
  EXPECT_THAT(error_of("{}"), HasSubstr("no vocabulary"));
  EXPECT_THAT(error_of("{} x"), HasSubstr("the end of the file"));
  EXPECT_THAT(error_of(std::string(100'000, '{')), HasSubstr("malformed JSON"));
  EXPECT_THAT(error_of("{\"a\":" + std::string(100'000, '[')), HasSubstr("deeply"));
  EXPECT_THAT(error_of(R"({"model":{"type":"WordPiece","vocab":{},"merges":[]},"pre_tokenizer":null})"),
              HasSubstr("WordPiece"));
}

TEST(TokenizerJson, EveryTruncationIsAnErrorAndNothingWorse) {
  const std::string json = read_golden("synthetic.json")["cases"][3]["tokenizer"].dump();
  for (std::size_t size = 0; size < json.size(); size += 7) {
    EXPECT_NE(error_of(json.substr(0, size)), "no error") << size;
  }
}

TEST(TokenizerGguf, RefusesUnknownKindsOfVocabulary) {
  const auto error = [](const GgufVocabulary& vocabulary) -> std::string {
    try {
      Tokenizer::from_gguf(vocabulary, "model.gguf");
    } catch (const InputError& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_THAT(error({"t5", "default", {"a"}, {}, {1}}), HasSubstr("gpt2 (byte-level BPE) or llama"));
  EXPECT_THAT(error({"llama", "default", {"a"}, {}, {1}}), HasSubstr("neither merges nor a score"));
  EXPECT_THAT(error({"llama", "default", {"a"}, {}, {1}, "llama", {NAN}}), HasSubstr("no number"));
  EXPECT_THAT(error({"llama", "default", {std::string(1025, 'a')}, {}, {1}, "llama", {0}}),
              HasSubstr("too long"));
  EXPECT_THAT(error({"gpt2", "mystery", {"a"}, {}, {1}}), HasSubstr("mystery"));
  EXPECT_THAT(error({"gpt2", "smollm", {}, {}, {}}), HasSubstr("malformed vocabulary"));
  EXPECT_THAT(error({"gpt2", "smollm", {"a"}, {}, {1, 1}}), HasSubstr("one type for each token"));
  EXPECT_THAT(error({"gpt2", "smollm", {"a", "a"}, {}, {1, 1}}), HasSubstr("twice"));
  EXPECT_THAT(error({"gpt2", "smollm", {"a"}, {"ab"}, {1}}), HasSubstr("malformed merge"));
}

}  // namespace
}  // namespace saescope
