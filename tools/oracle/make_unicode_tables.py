#!/usr/bin/env python3
"""Writes src/text/tokenizer/unicode_tables.cc: where the Python library `tokenizers` sees another Unicode than
PCRE2 and utf8proc do.

The library is a mosaic of Unicode versions: its regexes (Oniguruma), its Digits and added-token rules
(Rust's standard library and regex crate) and its normalisers (an old crate) each carry their own
tables. All of them are asked here, code point by code point. To know what other versions of PCRE2 and
utf8proc may say, the oldest and the newest Unicode at hand are compared too: Python's own unicodedata
and the PyPI package unicodedata2.
"""

import argparse
import unicodedata
from pathlib import Path

import unicodedata2
from tokenizers import Regex, normalizers, pre_tokenizers

CATEGORIES = (
    "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()
)
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
# PCRE2's \s takes U+180E for a space (it was one until Unicode 6.3), Oniguruma's does not.
NO_LONGER_SPACE = 0x180E


def oniguruma_categories():
    """The general category of every code point as the library's regexes see it."""
    found = {}
    for category in CATEGORIES:
        split = pre_tokenizers.Split(Regex(r"\p{%s}" % category), "removed")
        for start in range(0, 0x110000, 256):
            block = [c for c in range(start, start + 256) if not 0xD800 <= c <= 0xDFFF]
            if not block:
                continue
            kept = set()
            for _, (begin, end) in split.pre_tokenize_str("".join(map(chr, block))):
                kept.update(range(begin, end))
            found.update({c: category for i, c in enumerate(block) if i not in kept})
    return {c: found.get(c, "Cn") for c in CODE_POINTS}


def representatives(categories):
    """Pairs (code point, code point of the same category, UTF-8 length and writing) for everything
    that some version of PCRE2 may put into another category."""

    def kind(c):
        name = unicodedata2.name(chr(c), "")
        han = name.startswith(("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH"))
        return categories[c], len(chr(c).encode()), han

    def is_settled(c, category):
        if category == "Cn" and c >= 0x800:
            return 0xFDD0 <= c <= 0xFDEF or c & 0xFFFE == 0xFFFE  # never to be assigned
        return unicodedata.ucd_3_2_0.category(chr(c)) == category

    settled, stable, moved = {}, {}, []
    for c in CODE_POINTS:
        views = {
            categories[c],
            unicodedata.category(chr(c)),
            unicodedata2.category(chr(c)),
        }
        if len(views) > 1 or c == NO_LONGER_SPACE:
            moved.append(c)
        elif c >= 0x80:
            choice = settled if is_settled(c, categories[c]) else stable
            choice.setdefault(kind(c), c)
    return [(c, settled.get(kind(c)) or stable[kind(c)]) for c in moved]


def not_normalised():
    """Code points that the library's normalisers leave alone though newer Unicode moves them."""
    forms = {
        form: getattr(normalizers, form)() for form in ("NFC", "NFD", "NFKC", "NFKD")
    }
    found = []
    for c in CODE_POINTS:
        texts = [
            chr(c),
            "a\u0315" + chr(c) + "\u0301",
            "a" + chr(c) + "\u0334",
            "a\u0334" + chr(c) + "\u0301\u0315",
        ]
        plain = unicodedata2.combining(chr(c)) == 0 and not unicodedata2.decomposition(chr(c))
        if plain and c not in COMPOSING:
            continue
        if any(
            normalizer.normalize_str(text) != unicodedata2.normalize(form, text)
            for form, normalizer in forms.items()
            for text in texts
        ):
            found.append(c)
    return found


def composing_characters():
    """Every code point that occurs in a canonical decomposition."""
    found = set()
    for c in CODE_POINTS:
        decomposition = unicodedata2.decomposition(chr(c))
        if decomposition and not decomposition.startswith("<"):
            found.update(int(part, 16) for part in decomposition.split())
    return found


COMPOSING = composing_characters()


def ranges(code_points):
    result = []
    for c in sorted(code_points):
        if result and result[-1][1] == c - 1:
            result[-1][1] = c
        else:
            result.append([c, c])
    return result


def mapped_ranges(pairs):
    result = []
    for c, target in pairs:
        if result and result[-1][1] == c - 1 and result[-1][2] == target:
            result[-1][1] = c
        else:
            result.append([c, c, target])
    return result


def table(name, kind, rows):
    entries = ["{" + ", ".join(f"0x{value:X}" for value in row) + "}" for row in rows]
    body = ", ".join(entries)
    return f"constexpr {kind} {name}[] = {{{body}}};\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="unicode_tables.cc")
    arguments = parser.parse_args()

    digits = pre_tokenizers.Digits(True)
    word = pre_tokenizers.Whitespace()
    numeric = [c for c in CODE_POINTS if len(digits.pre_tokenize_str("a" + chr(c))) > 1]
    spaces = {
        c for c in CODE_POINTS if not pre_tokenizers.WhitespaceSplit().pre_tokenize_str(chr(c))
    }
    words = [
        c for c in CODE_POINTS
        if c not in spaces and len(word.pre_tokenize_str("a" + chr(c))) == 1
    ]
    text = "// Written by tools/oracle/make_unicode_tables.py; do not edit.\n"
    text += '#include "text/tokenizer/unicode_tables.h"\n\n#include "text/unicode_ranges.h"\n\n'
    text += "namespace saescope::unicode {\nnamespace {\n\n"
    text += table("kNumeric", "Range", ranges(numeric)) + "\n"
    text += table("kSpaces", "Range", ranges(spaces)) + "\n"
    text += table("kWords", "Range", ranges(words)) + "\n"
    text += table("kNotNormalised", "Range", ranges(not_normalised())) + "\n"
    text += table("kSubstitutes", "MappedRange",
                  mapped_ranges(representatives(oniguruma_categories()))) + "\n"
    text += "}  // namespace\n\n"
    text += "bool is_numeric(char32_t c) { return in_ranges(kNumeric, c); }\n"
    text += "bool is_space(char32_t c) { return in_ranges(kSpaces, c); }\n"
    text += "bool is_word(char32_t c) { return in_ranges(kWords, c); }\n"
    text += "bool is_left_alone_by_normalisers(char32_t c) "
    text += "{ return in_ranges(kNotNormalised, c); }\n"
    text += "char32_t substitute(char32_t c) { return find_mapped(kSubstitutes, c); }\n\n"
    text += "}  // namespace saescope::unicode\n"
    arguments.output.write_text(text)


if __name__ == "__main__":
    main()
