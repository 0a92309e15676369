#include "text/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"

namespace saescope {
namespace {

using Json = nlohmann::ordered_json;
using testing::AllOf;
using testing::HasSubstr;

std::string render(const std::string& source, const Json& context = Json::object()) {
  return ChatTemplate(source, "chat_template.jinja").render(context);
}

std::string error_of(const std::string& source, const Json& context = Json::object()) {
  try {
    return "rendered: " + render(source, context).substr(0, 100);
  } catch (const InputError& error) {
    return error.what();
  }
}

std::string repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(ChatTemplate, RendersChatMlWithGenerationPrompt) {
  const std::string source =
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + "
      "message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  const Json context = {{"messages", {{{"role", "user"}, {"content", "Hi {{ 1 }}"}}}},
                        {"add_generation_prompt", true}};
  EXPECT_EQ(render(source, context), "<|im_start|>user\nHi {{ 1 }}<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplate, NamesTheFileAndTheLineOfASyntaxError) {
  EXPECT_THAT(error_of("a\n{% if x %}\n{{ y z }}{% endif %}"),
              AllOf(HasSubstr("chat_template.jinja, line 3"), HasSubstr("not 'z'")));
  EXPECT_THAT(error_of("a\n{% for x in y %}\nb"),
              AllOf(HasSubstr("line 2"), HasSubstr("'endfor' is missing")));
  EXPECT_THAT(error_of("\n\n{% include 'x' %}"), AllOf(HasSubstr("line 3"), HasSubstr("'include'")));
}

TEST(ChatTemplate, NamesTheLineOfARuntimeError) {
  EXPECT_THAT(error_of("{% set x = 1 %}\n\n{{ x }}\n{{ 'a' + x }}"),
              AllOf(HasSubstr("line 4"), HasSubstr("'str' and 'int'")));
  EXPECT_THAT(error_of("{# one\ntwo #}\n{{ missing.role }}"),
              AllOf(HasSubstr("line 3"), HasSubstr("'missing' is undefined")));
}

TEST(ChatTemplate, ReportsTheMessageOfRaiseException) {
  EXPECT_THAT(error_of("{{ raise_exception('roles must alternate') }}"), HasSubstr("roles must alternate"));
}

TEST(ChatTemplate, ParsesBranchesThatAreNotTaken) {
  EXPECT_THAT(error_of("{% if false %}{{ 1 + }}{% endif %}"), HasSubstr("line 1"));
}

TEST(ChatTemplate, RefusesUnknownFiltersAtOnceOutsideOfConditions) {
  EXPECT_THROW(ChatTemplate("{{ 1 | nope }}", "t"), InputError);
  EXPECT_THROW(ChatTemplate("{{ 1 is nope }}", "t"), InputError);
  EXPECT_NO_THROW(ChatTemplate("{% if x %}{{ 1 | nope }}{% endif %}", "t"));
  EXPECT_THAT(error_of("{{ 'x' | urlize }}"), HasSubstr("not supported"));
}

TEST(ChatTemplate, RefusesChangesToListsAndDicts) {
  EXPECT_THAT(error_of("{{ x.append(1) }}", {{"x", {1}}}), HasSubstr("'append' of 'list'"));
  EXPECT_THAT(error_of("{{ x.update({}) }}", {{"x", {{"a", 1}}}}), HasSubstr("'update' of 'dict'"));
}

TEST(ChatTemplate, VariablesOverrideGlobals) {
  EXPECT_EQ(render("{{ range }}", {{"range", "mine"}}), "mine");
}

TEST(ChatTemplate, AStringFixesStrftimeNow) {
  EXPECT_EQ(render("{{ strftime_now('%d %b %Y') }}{{ strftime_now is defined }}",
                   {{"strftime_now", "26 Jul 2024"}}),
            "26 Jul 2024True");
}

TEST(ChatTemplate, StrftimeNowIsTheLocalTime) {
  const std::time_t before = std::time(nullptr);
  const int64_t shown = std::stoll(render("{{ strftime_now('%s') }}"));
  EXPECT_GE(shown, before);
  EXPECT_LE(shown, std::time(nullptr));
  EXPECT_EQ(render("[{{ strftime_now('') }}]"), "[]");
  EXPECT_THAT(error_of("{{ strftime_now('%99999999d') }}"), HasSubstr("4096"));
}

TEST(ChatTemplate, KeepsTheKeyOrderOfTheContext) {
  EXPECT_EQ(render("{{ t | tojson }}", Json::parse(R"({"t": {"b": 1, "a": {"z": 0, "y": [1.0]}}})")),
            R"({"b": 1, "a": {"z": 0, "y": [1.0]}})");
}

TEST(ChatTemplate, RefusesWhatIsNoUnicodeOrBeyond64Bits) {
  EXPECT_THROW(ChatTemplate("a\xff", "t"), InputError);
  EXPECT_THAT(error_of("{{ x }}", {{"x", "a\xc3"}}), HasSubstr("UTF-8"));
  EXPECT_THAT(error_of("{{ x }}", {{"x", UINT64_MAX}}), HasSubstr("64 bits"));
  EXPECT_THAT(error_of("{{ 99999999999999999999 }}"), HasSubstr("64 bits"));
  EXPECT_THAT(error_of("{{ 9223372036854775807 + 1 }}"), HasSubstr("64 bits"));
  EXPECT_THAT(error_of("{{ -9223372036854775807 * 2 }}"), HasSubstr("64 bits"));
  EXPECT_THAT(error_of("{{ 10 ** 19 }}"), HasSubstr("64 bits"));
  EXPECT_THAT(error_of("{{ '99999999999999999999' | int }}"), HasSubstr("64 bits"));
  EXPECT_THAT(error_of("{{ 1e300 | int }}"), HasSubstr("64-bit"));
}

TEST(ChatTemplate, EndsLongLoops) {
  const std::string loops =
      "{% for a in range(100000) %}{% for b in range(100000) %}"
      "{% for c in range(100000) %}{% endfor %}{% endfor %}{% endfor %}";
  EXPECT_THAT(error_of(loops), HasSubstr("10 million steps"));
  EXPECT_THAT(error_of("{{ range(10**9) }}"), HasSubstr("range too big"));
  EXPECT_THAT(error_of("{{ range(-9223372036854775807, 9223372036854775807) }}"), HasSubstr("range too big"));
}

TEST(ChatTemplate, BoundsTexts) {
  EXPECT_THAT(error_of("{{ 'a' * 10**9 }}"), HasSubstr("64 MiB"));
  EXPECT_THAT(error_of("{{ 'ab' * 9223372036854775807 }}"), HasSubstr("64 MiB"));
  EXPECT_THAT(error_of("{{ ('a' * 10**7).replace('', 'xxxxxxxxxx') }}"), HasSubstr("64 MiB"));
  EXPECT_THAT(error_of("{{ 'a'.center(10**12) }}"), HasSubstr("64 MiB"));
  EXPECT_THAT(error_of("{{ 'a'.ljust(9223372036854775807) }}"), HasSubstr("64 MiB"));
  EXPECT_THAT(error_of("{{ '%99999999999d' % 1 }}"), HasSubstr("64 MiB"));
  EXPECT_THAT(error_of("{{ '{:>99999999999}'.format(1) }}"), HasSubstr("64 MiB"));
  EXPECT_THAT(error_of("{{ 'a' | indent(10**12, true) }}"), HasSubstr("64 MiB"));
  EXPECT_THAT(error_of("{{ [[[1]]] | tojson(indent=10**12) }}"), HasSubstr("64 MiB"));
  EXPECT_THAT(error_of("{{ 'a\tb'.expandtabs(10**12) }}"), HasSubstr("64 MiB"));
}

TEST(ChatTemplate, BoundsTheOutputAndTheSumOfAllTexts) {
  const std::string big = "{% set x = 'a' * 10**7 %}";
  EXPECT_THAT(error_of(big + repeat("{{ x }}", 7)), HasSubstr("output grows beyond 16 MiB"));
  EXPECT_THAT(error_of(big + "{% set ns = namespace(l=[]) %}{% for i in range(99) %}"
                             "{% set ns.l = ns.l + [x ~ i] %}{% endfor %}"),
              HasSubstr("10 million steps"));
  EXPECT_THAT(error_of("{% set ns = namespace(x=[1]) %}{% for i in range(64) %}"
                       "{% set ns.x = ns.x + ns.x %}{% endfor %}"),
              HasSubstr("10 million steps"));
  EXPECT_THAT(error_of("{{ [1] * 10**9 }}"), HasSubstr("too long"));
  EXPECT_THAT(error_of("{{ [1] * 9223372036854775807 }}"), HasSubstr("too long"));
  EXPECT_THAT(error_of("{{ [1] | batch(10**9, 0) | list }}"), HasSubstr("10 million steps"));
  EXPECT_THAT(error_of("{{ [1] | slice(10**9) | list }}"), HasSubstr("10 million steps"));
}

TEST(ChatTemplate, BoundsWorkOnTextsThatAreReadOverAndOver) {
  const std::string big = "{% set x = 'a' * 10**7 %}{% set y = x ~ 'b' %}{% for i in range(99999) %}";
  for (const std::string expression :
       {"x in y", "x == x ~ ''", "x.count('b')", "y.endswith(x)", "y.strip(x)", "x < y"}) {
    SCOPED_TRACE(expression);
    const std::string message = error_of(big + "{% set z = " + expression + " %}{% endfor %}");
    EXPECT_THAT(message, HasSubstr("10 million steps"));
  }
}

TEST(ChatTemplate, BoundsWorkOfExpressionsThatAreShortButSlow) {
  const std::string name(4000, 'x');
  for (const std::string& expression :
       {"5 ." + name, name, "5 | attr('" + name + "')", "[].__" + name + "__",
        std::string("1.5e308 | round(300)"), "strftime_now('" + repeat("%c", 100) + "')"}) {
    SCOPED_TRACE(expression.substr(0, 20));
    EXPECT_THAT(error_of("{% for i in range(10**5) %}{% for j in range(10**5) %}{% set z = " + expression +
                         " %}{% endfor %}{% endfor %}"),
                HasSubstr("10 million steps"));
  }
}

TEST(ChatTemplate, BoundsMemoryOfManySmallValues) {
  const std::string name(4000, 'x');
  for (const std::string expression : {"(',' * 25 * 10**6).split(',')", "('a ' * 12 * 10**6).split()",
                                       "('x\n' * 12 * 10**6).splitlines()", "('x\n' * 12 * 10**6) | indent",
                                       "[{}] | sort(attribute=',' * 25 * 10**6)", "[] | slice(5 * 10**6)"}) {
    SCOPED_TRACE(expression);
    EXPECT_THAT(error_of("{% set z = " + expression + " %}"), HasSubstr("10 million steps"));
  }
  EXPECT_THAT(error_of("{% set ns = namespace(x=[]) %}{% for i in range(99) %}"
                       "{% set ns.x = [ns.x, range(10**5) | map(attribute='" +
                       name + "') | list] %}{% endfor %}"),
              HasSubstr("10 million steps"));
  EXPECT_THAT(error_of("{{ '\t\t'.expandtabs(40 * 10**6) }}"), HasSubstr("64 MiB"));
}

TEST(ChatTemplate, TheLimitOnStepsCanBeSet) {
  const ChatTemplate loops("{% for i in range(10**5) %}{% endfor %}", "t");
  EXPECT_EQ(loops.render(Json::object()), "");
  EXPECT_THROW(loops.render(Json::object(), 100'000), InputError);
}

TEST(ChatTemplate, SearchIsNotQuadratic) {
  // half a million times half a million comparisons would not end
  const Json context = {{"text", std::string(1 << 20, 'a')}, {"needle", std::string(1 << 19, 'a') + "b"}};
  EXPECT_EQ(render("{{ needle in text }}{{ text.find(needle) }}{{ text.rfind('b' ~ needle) }}"
                   "{{ text.split(needle) | length }}{{ text.rsplit('b' ~ needle) | length }}",
                   context),
            "False-1-111");
}

TEST(ChatTemplate, EndsRecursiveMacrosAndLoops) {
  EXPECT_THAT(error_of("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"), HasSubstr("too deeply"));
  EXPECT_THAT(error_of("{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}"
                       "{{ m() }}"),
              HasSubstr("too deeply"));
  EXPECT_THAT(error_of("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"), HasSubstr("too deeply"));
}

TEST(ChatTemplate, EndsTemplatesThatNestTooDeeply) {
  const std::vector<std::pair<std::string, std::string>> brackets = {
      {"(", ")"},  {"[", "]"},    {"{1:", "}"},         {"-", ""},       {"not ", ""}, {"x[", "]"},
      {"f(", ")"}, {"x|f(", ")"}, {"1 if 1 else ", ""}, {"x is f(", ")"}};
  for (const auto& [opening, closing] : brackets) {
    SCOPED_TRACE(opening);
    const std::string source = "{{ " + repeat(opening, 100000) + "1" + repeat(closing, 100000) + " }}";
    EXPECT_THAT(error_of(source), HasSubstr("too deeply"));
  }
  for (const std::string chain : {"+ 1", "* 1", "** 1", "or 1", "and 1", ".a", "[0]", "(1)", "|abs"}) {
    SCOPED_TRACE(chain);
    EXPECT_THAT(error_of("{{ 1 " + repeat(chain + " ", 100000) + "}}"), HasSubstr("too deeply"));
  }
  EXPECT_THAT(error_of(repeat("{% if 1 %}", 100000)), HasSubstr("too deeply"));
  EXPECT_THAT(error_of("{% set " + repeat("(", 100000) + "a" + repeat(")", 100000) + " = 1 %}"),
              HasSubstr("too deeply"));
}

TEST(ChatTemplate, LongButFlatTemplatesRender) {
  EXPECT_EQ(render("{{ 1 " + repeat("~ 1 ", 5000) + "}}").size(), 5001U);
  EXPECT_EQ(render("{% if 0 %}" + repeat("{% elif 0 %}", 5000) + "{% else %}x{% endif %}"), "x");
  EXPECT_EQ(render("{{ [" + repeat("1, ", 5000) + "] | length }}"), "5000");
  EXPECT_EQ(render("{{ 1 " + repeat("+ 1 ", 200) + "}}"), "201");
}

TEST(ChatTemplate, BoundsNestedContainers) {
  EXPECT_THAT(error_of("{% set ns = namespace(x=1) %}{% for i in range(1000) %}"
                       "{% set ns.x = [ns.x] %}{% endfor %}"),
              HasSubstr("nest more than 100"));
  Json deep = 1;
  for (int i = 0; i < 2000; ++i) deep = Json::array({deep});
  EXPECT_THAT(error_of("{{ x }}", {{"x", deep}}), HasSubstr("nest"));
}

TEST(ChatTemplate, BoundsValuesThatShareTheirParts) {
  // 2^90 elements to look at, in a few hundred bytes
  const std::string shared =
      "{% set ns = namespace(x=(1,), y=(1,)) %}{% for i in range(90) %}"
      "{% set ns.x = (ns.x, ns.x) %}{% set ns.y = (ns.y, ns.y) %}{% endfor %}";
  for (const std::string expression :
       {"ns.x == ns.y", "ns.x | string", "ns.x | tojson", "{ns.x: 1}", "ns.x < ns.y"}) {
    SCOPED_TRACE(expression);
    EXPECT_THAT(error_of(shared + "{% set z = " + expression + " %}"),
                testing::AnyOf(HasSubstr("10 million steps"), HasSubstr("64 MiB")));
  }
}

TEST(ChatTemplate, NamespacesMayHoldThemselves) {
  EXPECT_EQ(render("{% set ns = namespace() %}{% set ns.me = [ns] %}{% set ns.v = 3 %}"
                   "{{ ns.me[0].me[0].v }}"),
            "3");
  EXPECT_THAT(error_of("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}"), HasSubstr("too deeply"));
}

TEST(ChatTemplate, LoopsAndMacrosOutliveTheirBlock) {
  EXPECT_EQ(render("{% set ns = namespace() %}{% for x in [1, 2, 3] if x > 1 %}{% set ns.l = loop %}"
                   "{% macro m() %}{{ x }}{% endmacro %}{% set ns.m = m %}{% break %}{% endfor %}"
                   "{{ ns.l.last }}{{ ns.l.length }}{{ ns.m() }}"),
            "False22");
}

TEST(ChatTemplate, RendersInSeveralThreadsAtOnce) {
  const ChatTemplate shared("{% for m in messages %}{{ loop.index }}{{ m | upper }}{% endfor %}", "t");
  std::vector<std::string> results(8);
  std::vector<std::thread> threads;
  for (std::string& result : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) result = shared.render({{"messages", {"a", "b"}}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(results, testing::Each("1A2B"));
}

}  // namespace
}  // namespace saescope
