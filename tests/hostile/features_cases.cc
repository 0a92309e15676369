#include "hostile/changes.h"
#include "hostile/good_run.h"

namespace saescope::hostile {
namespace {

/// A features CSV with this one row.
Change row(const std::string& fields) { return contents("feature_id,source,token\n" + fields + "\n"); }

Change feature(const std::string& id) { return row(id + ",tiny_trainer1_layer1,"); }

Change source(const std::string& name) { return row("3," + name + ","); }

}  // namespace

std::vector<Case> features_cases() {
  const std::string row1 = "features.csv:row 1";
  return {
      {"Empty", kFeatures, contents(""), "empty"},
      {"OnlyABom", kFeatures, contents("\xEF\xBB\xBF"), "empty"},
      {"Utf16", kFeatures,
       contents(std::string("\xFF\xFE"
                            "f\0",
                            4)),
       "UTF-16"},
      {"NulBytes", kFeatures, contents(std::string(100, '\0')), "no column feature_id"},
      {"ColumnMissing", kFeatures, contents("feature_id,token\n3,asst\n"), "no column source"},
      {"ColumnTwice", kFeatures, contents("feature_id,source,source\n3,a,b\n"), "stands twice"},
      {"RowTooShort", kFeatures, row("3"), "number of fields", row1},
      {"RowTooLong", kFeatures, row("3,tiny_trainer1_layer1,asst,more"), "number of fields", row1},
      {"QuoteNotClosed", kFeatures, row("3,\"tiny_trainer1_layer1,"), "never closed", "features.csv:2"},
      {"TextBehindAQuote", kFeatures, row("3,\"tiny\"_trainer1_layer1,"), "behind a closing quote",
       "features.csv:2"},
      {"IdNegative", kFeatures, feature("-1"), "not a whole number", row1},
      {"IdHuge", kFeatures, feature("99999999999999999999"), "not a whole number", row1},
      {"IdOf63Bits", kFeatures, feature("9223372036854775807"), "no such feature", row1},
      {"IdPastTheDictionary", kFeatures, feature("256"), "no such feature", row1},
      {"IdFractional", kFeatures, feature("3.5"), "not a whole number", row1},
      {"IdOfTwoPoints", kFeatures, feature("3.0.0"), "not a whole number", row1},
      {"IdEmpty", kFeatures, feature(""), "not a whole number", row1},
      {"IdInHexadecimal", kFeatures, feature("0x3"), "not a whole number", row1},
      {"IdOfAMegabyte", kFeatures, feature(std::string(1'000'000, '7')), "not a whole number", row1},
      {"IdHoldsANul", kFeatures, feature(std::string("3\0", 2)), "not a whole number", row1},
      {"SourceMalformed", kFeatures, source("tiny"), "source", row1},
      {"SourceEmpty", kFeatures, source(""), "source", row1},
      {"SourceInvalidUtf8", kFeatures, source("tiny\xFF_trainer1_layer1"), "unknown model", row1},
      {"SourceHoldsANul", kFeatures, source(std::string("tiny\0_trainer1_layer1", 21)), "unknown model",
       row1},
      {"SourceOfAnUnknownModel", kFeatures, source("other_trainer1_layer1"), "unknown model", row1},
      {"SourceLayerHuge", kFeatures, source("tiny_trainer1_layer99999999999999999999"), "source", row1},
      {"SourceLayerNegative", kFeatures, source("tiny_trainer1_layer-1"), "source", row1},
      {"SourceLayerNotThere", kFeatures, source("tiny_trainer1_layer900000"), "no such layer", "model"},
      {"SourceLayerWithoutSae", kFeatures, source("tiny_trainer1_layer2"), "no SAE", "sae/layer_2"},
      {"SourceTrainerAboveTheFolder", kFeatures, source("tiny_trainer../../x_layer1"),
       "trainer is not a word", row1},
      {"TokenUnknown", kFeatures, row("3,tiny_trainer1_layer1,eos"), "no such token type", row1},
      {"AGigabyteOfOneField", kFeatures, sparse("feature_id,source\n3,\"", kGigabyte), "too large"},
      {"AGigabyteOfNuls", kFeatures, resized(kGigabyte), "too large"},
      {"ManyMegabytesOfOneField", kFeatures, repeated("feature_id,source\n3,\"", "a", 100'000'000),
       "never closed"},
      {"AFieldOf20Megabytes", kFeatures, repeated("feature_id,source\n3,\"", "a", 20'000'000, "\"\n"),
       "field is too long"},
      {"ManyMegabytesOfEmptyFields", kFeatures, repeated("feature_id,source\n3", ",", 100'000'000),
       "too many fields"},
      {"ManyMegabytesOfEmptyColumns", kFeatures, repeated("feature_id,source", ",", 100'000'000),
       "too many fields"},
      {"ManyMegabytesOfBadRows", kFeatures, repeated("feature_id,source\n", "\n,", 50'000'000),
       "not a whole number"},
      {"Removed", kFeatures, removed(), "No such file"},
      {"AFolder", kFeatures, as_folder(), "Is a directory"},
      {"DevZero", kFeatures, as_link_to("/dev/zero"), "too large"},
  };
}

}  // namespace saescope::hostile
