// The chat templates of real models against transformers: tests/goldens/templates/models.json, made by
// tools/oracle/make_template_goldens.py. The templates themselves are fetched by tools/fetch_tokenizers.sh.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "base/error.h"
#include "golden_files.h"
#include "text/chat_template.h"

namespace saescope {
namespace {

using Json = nlohmann::ordered_json;

Json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot open " + path.string());
  return Json::parse(file);
}

const Json& goldens() {
  static const Json read =
      read_json(std::filesystem::path(SAESCOPE_SOURCE_DIR) / "tests/goldens/templates/models.json");
  return read;
}

Json context_of(const Json& model, const Json& golden) {
  Json context = model["special_tokens"];
  for (const Json& conversation : goldens()["conversations"]) {
    if (conversation["name"] != golden["conversation"]) continue;
    context["messages"] = conversation["messages"];
    context["tools"] = conversation["uses_tools"].get<bool>() ? goldens()["tools"] : Json();
  }
  if (golden.contains("variables")) context.update(golden["variables"]);
  context["documents"] = nullptr;
  context["add_generation_prompt"] = golden["add_generation_prompt"];
  context["strftime_now"] = goldens()["strftime_now"];
  return context;
}

class RealTemplate : public testing::TestWithParam<std::string> {};

TEST_P(RealTemplate, RendersEveryConversationAsTransformers) {
  const std::filesystem::path config =
      testing_support::real_tokenizers() / GetParam() / "tokenizer_config.json";
  if (!std::filesystem::exists(config)) {
    GTEST_SKIP() << "NOT TESTED: " << config << " is missing; run tools/fetch_tokenizers.sh";
  }
  const ChatTemplate chat_template(read_json(config)["chat_template"], GetParam());
  int checked = 0;
  for (const Json& model : goldens()["models"]) {
    if (model["name"] != GetParam()) continue;
    for (const Json& golden : model["cases"]) {
      SCOPED_TRACE(golden["conversation"].get<std::string>());
      ++checked;
      std::optional<std::string> output;
      std::string message;
      try {
        output = chat_template.render(context_of(model, golden));
      } catch (const InputError& error) {
        message = error.what();
      }
      if (golden.contains("error")) {
        EXPECT_EQ(output, std::nullopt);
      } else {
        EXPECT_EQ(output, golden["output"].get<std::string>()) << message;
      }
    }
  }
  EXPECT_GT(checked, 20);
}

INSTANTIATE_TEST_SUITE_P(Models, RealTemplate,
                         testing::Values("llama3_1", "llama3_2", "qwen2_5", "qwen3", "mistral_nemo", "gemini",
                                         "gemma3"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace saescope
