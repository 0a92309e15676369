// Chat templates are programs that models bring along.
#include "hostile/changes.h"
#include "hostile/good_run.h"

namespace saescope::hostile {
namespace {

constexpr const char* kTooMuch = "10 million steps|64 MiB|too big|too many|nest|too large|too long|grows";

/// The template renders as it should, with one more thing in front.
Change first(const std::string& source) {
  return [source](const std::filesystem::path& file) { contents(source + slurp(file))(file); };
}

/// An expression printed in front of the template.
Change expression(const std::string& source) { return first("{{ " + source + " }}"); }

}  // namespace

std::vector<Case> chat_template_cases() {
  constexpr std::size_t kMany = 100'000;
  const std::string loop9 = times("{% for i in range(10) %}", 9) + "x" + times("{% endfor %}", 9);
  const std::string doubling =
      "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}";
  const std::string lists =
      "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}";
  const std::string deep_list =
      "{% set ns = namespace(s=[]) %}{% for i in range(99999) %}{% set ns.s = [ns.s] %}{% endfor %}";
  const std::string recursive = "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}";
  const std::string fork =
      "{% macro m(n) %}{% if n < 60 %}{{ m(n + 1) }}{{ m(n + 1) }}{% endif %}{% endmacro %}{{ m(0) }}";
  return {
      {"Empty", kTemplate, contents(""), "does not write the user's text", "tiny"},
      {"InvalidUtf8", kTemplate, first("\xFF"), "not UTF-8"},
      {"NulBytes", kTemplate, contents(std::string(100, '\0')), "does not write the user's text", "tiny"},
      {"AGigabyte", kTemplate, resized(kGigabyte), "too large"},
      {"ThreeMegabytes", kTemplate, first(std::string(3'000'000, ' ')), "template is too large"},
      {"TwoMegabytesOfTags", kTemplate, first(times("{{1}}", 400'000)), "too long", "prompts.jsonl"},
      {"TagNotClosed", kTemplate, first("{{ 1"), "ends inside a tag"},
      {"CommentNotClosed", kTemplate, first("{# "), "not closed"},
      {"BlockNotClosed", kTemplate, first("{% if true %}"), "'endif' is missing"},
      {"UnknownTag", kTemplate, first("{% exec 'true' %}"), "exec"},
      {"Includes", kTemplate, first("{% include 'chat_template.jinja' %}"), "include"},
      {"Imports", kTemplate, first("{% import 'chat_template.jinja' as t %}"), "import"},
      {"Extends", kTemplate, first("{% extends 'chat_template.jinja' %}"), "extends"},
      {"RaisesAnException", kTemplate, expression("raise_exception('not for you')"), "not for you"},
      {"RaisesAnExceptionOfManyMegabytes", kTemplate, expression("raise_exception('no ' * 20000000)"),
       "no no no"},
      {"RaisesTerminalCommands", kTemplate, expression(R"(raise_exception('\x1b[2J\nerror: b'))"),
       "error: b"},
      {"UsesSomethingUndefined", kTemplate, expression("nothing.at.all"), "undefined"},
      {"DividesByZero", kTemplate, expression("1 // 0"), "division by zero"},
      {"BillionIterations", kTemplate, first("{% for i in range(1000000000) %}x{% endfor %}"), "too big"},
      {"NestedRanges", kTemplate, first(loop9), kTooMuch},
      {"LongLoopOfLoops", kTemplate,
       first("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"), kTooMuch},
      {"RangeOf64Bits", kTemplate, expression("range(-9223372036854775807, 9223372036854775807)|length"),
       kTooMuch},
      {"ListOfARange", kTemplate, expression("(range(100000)|list * 1000)|length"), kTooMuch},
      {"SortsALot", kTemplate, first("{% for i in range(1000) %}{{ range(100000)|sort|length }}{% endfor %}"),
       kTooMuch},
      {"MacroCallsItself", kTemplate, first(recursive), kTooMuch},
      {"MacroCallsItselfTwice", kTemplate, first(fork), kTooMuch},
      {"RecursiveLoop", kTemplate, first("{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}"),
       kTooMuch},
      {"TextDoubled", kTemplate, first(doubling), kTooMuch},
      {"ListDoubled", kTemplate, first(lists), kTooMuch},
      {"ListsInEachOther", kTemplate, first(deep_list), kTooMuch},
      {"TextTimesABillion", kTemplate, expression("'a' * 10**9"), kTooMuch},
      {"TextTimes64Bits", kTemplate, expression("'a' * 9223372036854775807"), kTooMuch},
      {"TextTimesOftenWithoutPrinting", kTemplate,
       first("{% for i in range(100000) %}{% set x = 'a' * 60000000 %}{% endfor %}"), kTooMuch},
      {"KeepsManyTexts", kTemplate,
       first("{% set ns = namespace(s=[]) %}{% for i in range(1000) %}{% set ns.s = ns.s + ['a' * 1000000] "
             "%}{% endfor %}"),
       kTooMuch},
      {"ListTimesABillion", kTemplate, expression("[0] * 10**9"), kTooMuch},
      {"PowerOfManyDigits", kTemplate, expression("9 ** 9 ** 9"), "64 bits"},
      {"PrecisionOfABillion", kTemplate, expression("'%.1000000000d' % 1"), "300 digits"},
      {"WidthOfABillion", kTemplate, expression("'%1000000000d' % 1"), kTooMuch},
      {"WidthOf64Bits", kTemplate, expression("'%99999999999999999999d' % 1"), "too many digits"},
      {"FormatMethodOfABillion", kTemplate, expression("'{:1000000000}'.format(1)"), kTooMuch},
      {"FloatPrecisionOfABillion", kTemplate, expression("'%.1000000000f' % 1.5"), "300 digits"},
      {"CenterOfABillion", kTemplate, expression("'a'|center(1000000000)"), kTooMuch},
      {"IndentOfABillion", kTemplate, expression("'a\\nb'|indent(1000000000)"), kTooMuch},
      {"ReplaceThatGrows", kTemplate, expression("('a' * 1000000)|replace('a', 'b' * 1000000)"), kTooMuch},
      {"JoinThatGrows", kTemplate, expression("range(100000)|join('b' * 1000000)"), kTooMuch},
      {"ToJsonThatGrows", kTemplate, expression("[['\\u0001' * 10000000]] | tojson"), kTooMuch},
      {"ToJsonIndentOfABillion", kTemplate, expression("[1]|tojson(indent=1000000000)"), kTooMuch},
      {"BatchOfABillion", kTemplate, expression("[1]|batch(1000000000, 0)|list|length"), kTooMuch},
      {"SliceOfABillion", kTemplate, expression("[1]|slice(1000000000)|list|length"), kTooMuch},
      {"ClassOfAText", kTemplate, expression("''.__class__.__mro__"),
       "'__class__' of 'str' object is unsafe"},
      {"GlobalsOfAFunction", kTemplate, expression("raise_exception.__globals__.os"),
       "'__globals__' of 'function' object is unsafe"},
      {"AttributeByFilter", kTemplate, expression("(''|attr('__class__')).x"),
       "'__class__' of 'str' object is unsafe"},
      {"ParenthesesInEachOther", kTemplate,
       expression(std::string(kMany, '(') + "1" + std::string(kMany, ')')), kTooMuch},
      {"ListsLiteralInEachOther", kTemplate, expression(std::string(kMany, '[') + std::string(kMany, ']')),
       kTooMuch},
      {"NotsInEachOther", kTemplate, expression(times("not ", kMany) + "1"), kTooMuch},
      {"MinusesInEachOther", kTemplate, expression(std::string(kMany, '-') + "1"), kTooMuch},
      {"LongSum", kTemplate, expression("1" + times("+1", kMany)), kTooMuch},
      {"LongChainOfAttributes", kTemplate, expression("a" + times(".a", kMany)), kTooMuch},
      {"LongChainOfFilters", kTemplate, expression("1" + times("|string", kMany)), kTooMuch},
      {"ConditionsInEachOther", kTemplate, expression("1" + times(" if 1 else 1", kMany)), kTooMuch},
      {"BlocksInEachOther", kTemplate, first(times("{% if 1 %}", kMany) + times("{% endif %}", kMany)),
       kTooMuch},
      {"ElifsInARow", kTemplate, first("{% if 0 %}" + times("{% elif 0 %}", kMany) + "{% exec %}{% endif %}"),
       "exec"},
      {"IntegerLiteralOfAMegabyte", kTemplate, expression(std::string(1'000'000, '9')), "64 bits"},
      {"OutputOfManyMegabytes", kTemplate, first("{% for i in range(100) %}{{ 'a' * 1000000 }}{% endfor %}"),
       kTooMuch},
      {"OutputOf15MegabytesInOnePiece", kTemplate, expression("'ab' * 7500000"), "too long", "prompts.jsonl"},
      {"OutputOf15MegabytesInManyPieces", kTemplate, expression("'a b' * 5000000"), "too long",
       "prompts.jsonl"},
      {"ListOfCharacters", kTemplate, expression("('a' * 60000000)|list|length"), kTooMuch},
  };
}

}  // namespace saescope::hostile
