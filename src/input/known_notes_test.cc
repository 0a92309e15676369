#include "input/known_notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace saescope {
namespace {

RequestedFeature feature(const std::string& token, FeatureNotes notes) {
  return {{"m", "1", 2}, 7, token, "f.csv:row 1 (line 2)", std::move(notes)};
}

TEST(KnownNotes, NotesOfARowWithoutATokenCountAtEveryTokenTypeBehindItsOwn) {
  SilentProgress progress;
  const KnownNotes book({feature("", {"all", "all", ""}), feature("asst", {"own", "", ""})}, {}, {},
                        progress);
  EXPECT_EQ(book.notes({"m", "1", 2}, "asst", 7), (FeatureNotes{"own", "all", ""}));
  EXPECT_EQ(book.notes({"m", "1", 2}, "newline", 7), (FeatureNotes{"all", "all", ""}));
  EXPECT_TRUE(book.notes({"m", "1", 3}, "asst", 7).empty());
  EXPECT_TRUE(book.notes({"m", "1", 2}, "asst", 8).empty());
}

TEST(ExportSource, ComesFromTheEntryThenItsLinkThenTheProgramsOwnNames) {
  ModelEntry entry;
  entry.name = "own";
  const Source source = {"own", "1", 11};
  const auto key = [&] {
    const DescriptionKey found = export_source(entry, source, &ModelEntry::pt_descriptions);
    return found.model_id + "/" + found.layer_id;
  };
  EXPECT_EQ(key(), "own/own_trainer1_layer11");
  entry.link = "https://www.neuronpedia.org/llama3.1-8b-it/{layer}-resid-post-aa/{feature_id}";
  EXPECT_EQ(key(), "llama3.1-8b-it/11-resid-post-aa");
  entry.pt_descriptions = "llama3.1-8b/{layer}-trainer-{trainer}";
  EXPECT_EQ(key(), "llama3.1-8b/11-trainer-1");
}

}  // namespace
}  // namespace saescope
