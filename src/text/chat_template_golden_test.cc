// Differential tests against jinja2 in transformers' environment; the goldens are made by
// tools/oracle/make_template_goldens.py.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/error.h"
#include "text/chat_template.h"

namespace saescope {
namespace {

using Json = nlohmann::ordered_json;

Json read_golden(const std::string& name) {
  const std::string path = std::string(SAESCOPE_SOURCE_DIR) + "/tests/goldens/templates/" + name;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot open " + path);
  return Json::parse(file);
}

// The output, or nothing where the template is refused; `message` then says why.
std::optional<std::string> render(const std::string& source, const Json& context, std::string& message) {
  try {
    return ChatTemplate(source, "golden").render(context);
  } catch (const InputError& error) {
    message = error.what();
    return std::nullopt;
  }
}

TEST(ChatTemplateGolden, RendersExpressionsAsJinjaAndRefusesWhatJinjaRefuses) {
  const Json goldens = read_golden("expressions.json");
  ASSERT_GT(goldens.size(), 300U);
  for (const Json& golden : goldens) {
    const std::string source = golden["template"];
    SCOPED_TRACE(source);
    std::string message;
    const auto output = render(source, golden["context"], message);
    if (golden.contains("error")) {
      EXPECT_FALSE(output.has_value()) << "rendered: " << output.value_or("");
    } else {
      EXPECT_EQ(output, golden["output"].get<std::string>()) << message;
    }
  }
}

TEST(ChatTemplateGolden, RendersConversationsOfSmolLm2AsTransformers) {
  const Json goldens = read_golden("models.json");
  Json conversations;
  for (const Json& conversation : goldens["conversations"]) {
    conversations[conversation["name"].get<std::string>()] = conversation;
  }
  int rendered = 0;
  for (const Json& model : goldens["models"]) {
    if (!model.contains("template")) continue;
    for (const Json& golden : model["cases"]) {
      const std::string name = golden["conversation"];
      SCOPED_TRACE(name);
      const Json& conversation = conversations[name];
      Json context = model["special_tokens"];
      context["messages"] = conversation["messages"];
      context["tools"] = conversation["uses_tools"].get<bool>() ? goldens["tools"] : Json();
      context["documents"] = nullptr;
      context["add_generation_prompt"] = golden["add_generation_prompt"];
      std::string message;
      const auto output = render(model["template"], context, message);
      if (golden.contains("error")) {
        EXPECT_FALSE(output.has_value()) << *output;
      } else {
        EXPECT_EQ(output, golden["output"].get<std::string>()) << message;
        ++rendered;
      }
    }
  }
  EXPECT_GT(rendered, 20);
}

}  // namespace
}  // namespace saescope
