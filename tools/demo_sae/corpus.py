"""From text sources to chats: (message, answer or None) by category."""
from __future__ import annotations

import random
import sys
from typing import Optional

from .sources import Sources, one_line, read_sources
from .templates import (ASK_ADJ, ASK_CODE, ASK_COMMAND, ASK_LOCAL, ASK_NOUN, ASK_VERB, EMOTION, FEEL, SELF, SELF_X, SELF_Y,
                        SITUATION, SMALL_TALK, TASK_CODE, TASK_TEXT, split_templates)

Chat = tuple[str, Optional[str]]  # message, answer


def up_to(items: list, count: int, rng: random.Random) -> list:
    """A random sample, all of them in random order where there are fewer."""
    return rng.sample(items, min(len(items), count))


def vary(text: str, rng: random.Random) -> str:
    """Small changes of form that real messages show."""
    roll = rng.random()
    if roll < 0.10:
        return text.lower()
    if roll < 0.15:
        return text.rstrip("?.!")
    if roll < 0.19:
        return rng.choice(("Hi! ", "Hello, ", "Hey, ", "Quick question: ", "Please: ", "OK. ", "So, ")) + text
    if roll < 0.23:
        return text + rng.choice((" Thanks!", " Please be brief.", " Answer in detail.", " 🙂", "\n", " Give sources.", " ASAP", " Use a table."))
    if roll < 0.245:
        return text.upper()
    return text


def snippet(text: str, low: int, high: int, rng: random.Random) -> str:
    """The beginning of a text, cut at a word's end at a random length."""
    length = rng.randint(low, high)
    if len(text) <= length:
        return text
    cut = text[:length]
    return cut.rsplit(" ", 1)[0] if " " in cut[low // 2:] else cut


def word_questions(sources: Sources, rng: random.Random) -> list[str]:
    texts = []
    for pos, block, count in (("noun", ASK_NOUN, 6000), ("verb", ASK_VERB, 1800), ("adj", ASK_ADJ, 1800)):
        templates, entries = split_templates(block), sources.entries_of(pos)
        for entry in up_to(entries, count, rng):
            text = rng.choice(templates).format(a=entry["lemma"], b=rng.choice(entries)["lemma"])
            texts.append(vary(text[0].upper() + text[1:], rng))
    return texts


def self_and_feelings(rng: random.Random) -> list[str]:
    """Questions about the model itself, and messages about the writer's feelings."""
    texts = []
    for template in split_templates(SELF):
        for x, y in zip(rng.sample(SELF_X.split("|"), 22), rng.sample(SELF_Y.split("|"), 22)):
            texts.append(vary(template.format(x=x, y=y), rng))
    for template in split_templates(FEEL):
        for _ in range(60):
            s = rng.choice(SITUATION.split("|"))
            texts.append(vary(template.format(e=rng.choice(EMOTION.split("|")), s=s, S=s[0].upper() + s[1:]), rng))
    return texts


def number_question(rng: random.Random) -> str:
    """Arithmetic, dates, units."""
    a, b = rng.randint(2, 9999), rng.randint(2, 99)
    return rng.choice((f"What is {a} + {b}?", f"{a}*{b}=", f"Is {a} prime?", f"Convert {a} km to miles.",
                       f"What happened in {a % 900 + 1100}?", f"Divide {a} by {b}.", f"How many seconds are {b} days?",
                       f"Solve {b}x + {b % 7 + 1} = {a}.", f"What is {b % 60}% of {a}?", f"Who won in {a % 100 + 1920}?",
                       f"Round {a / b:.5f} to two decimals.", f"Write {a} in binary."))


def short_english(sources: Sources, rng: random.Random) -> list[Chat]:
    texts = word_questions(sources, rng) + self_and_feelings(rng)
    for name, doing in sources.commands:
        text = rng.choice(split_templates(ASK_COMMAND)).format(n=name.split(",")[0], d=doing,
                                                               m=rng.choice(sources.commands)[0].split(",")[0])
        texts.append(vary(text, rng))
    words = sources.words
    texts += SMALL_TALK.split("|")
    texts += up_to(words, 400, rng)
    texts += [" ".join(rng.sample(words, rng.randint(2, 5))) for _ in range(300 if words else 0)]
    texts += [number_question(rng) for _ in range(500)]
    for entry in up_to(sources.entries, 1500, rng):
        if entry["examples"]:
            texts.append(vary(rng.choice(entry["examples"]), rng))
    return [(text, None) for text in texts]


def short_other_languages(sources: Sources, rng: random.Random) -> list[Chat]:
    texts = []
    for language, block in ASK_LOCAL.items():
        names = set(sources.countries.get(language, {}).values()) | set(list(sources.tongues.get(language, {}).values())[:250])
        names = [n for n in sorted(names) if len(n) < 30]
        for name in up_to(names, 130, rng):
            texts.append(rng.choice(block.split("|")).format(a=name.split(";")[0], b=rng.choice(names).split(";")[0]))
    for catalogs in sources.messages.values():
        for _, catalog in sorted(catalogs.items()):
            texts += up_to([one_line(v.replace("_", "")) for v in catalog.values() if 12 < len(v) < 160 and "%" not in v], 9, rng)
    for language, items in sorted(sources.quotes.items()):
        if language != "en":
            texts += [snippet(item, 40, 220, rng) for item in up_to(items, 260, rng)]
    return [(text, None) for text in texts]


def paragraphs_other_languages(sources: Sources, rng: random.Random) -> list[Chat]:
    chats, untranslated = [], set(sources.books.get("en", []))
    for language, paragraphs in sorted(sources.books.items()):
        if language != "en":
            paragraphs = [p for p in paragraphs if p not in untranslated]
            dense = language in ("ar", "el", "fa", "ja", "ko", "ru", "zh", "vi")  # more tokens per character
            chats += [(snippet(text, 40, 150 if dense else 400, rng), None) for text in up_to(paragraphs, 60, rng)]
    return chats


def code(sources: Sources, rng: random.Random) -> list[Chat]:
    chats = []
    tasks = [t.replace("\x00", "\n") for t in split_templates(TASK_CODE.replace("\n", "\x00"))]
    for item in up_to(sources.library, 3500, rng):
        if rng.random() < 0.45 and item["doc"]:
            text = rng.choice(split_templates(ASK_CODE)).format(n=item["name"], m=item["module"], d=item["doc"][:200])
        else:
            text = rng.choice(tasks).replace("{t}", item["source"][:700]).replace("{n}", item["name"])
        chats.append((text, None))
    return chats


def paragraphs_english(sources: Sources, rng: random.Random) -> list[Chat]:
    chats, book = [], sources.books.get("en", [])
    tasks = [t.replace("\x00", "\n") for t in split_templates(TASK_TEXT.replace("\n", "\x00"))]
    pool = up_to(sources.quotes.get("en", []), 2500, rng) + up_to(sources.prose, 1200, rng) + up_to(book, 1200, rng)
    for text in pool:
        chats.append((rng.choice(tasks).replace("{t}", snippet(text, 60, 700, rng)), None))
    for _ in range(120 if len(book) > 10 else 0):  # several paragraphs
        start = rng.randrange(len(book) - 6)
        chats.append((rng.choice(tasks).replace("{t}", "\n\n".join(book[start:start + 6])[:rng.randint(1000, 2000)]), None))
    return chats


def definition(entry: dict, rng: random.Random) -> Chat:
    question = rng.choice(("What does {a} mean?", "Define {a}.", "What is {a}?", "{a}", "Explain the word {a}.")).format(a=entry["lemma"])
    reply = rng.choice(("{A}: {g}.", "\"{A}\" means {g}.", "{g}")).format(A=entry["lemma"].capitalize(), g=entry["gloss"])
    if entry["examples"]:
        reply += rng.choice((" For example: ", "\n\nExample: ")) + entry["examples"][0]
    return question, reply


def with_answer(sources: Sources, rng: random.Random) -> list[Chat]:
    chats = [definition(entry, rng) for entry in up_to(sources.entries, 2500, rng)]
    for text in up_to(sources.books.get("en", []), 700, rng):
        chats.append((rng.choice(("Tell me something about Debian.", "Continue.", "Explain.", "How is a server administered?",
                                  "Teach me: " + " ".join(text.split()[:4]), "Write a paragraph that starts with " + " ".join(text.split()[:3]))),
                      snippet(text, 150, 700, rng)))
    nouns = sources.entries_of("noun") or [{"lemma": "life"}]
    for text in up_to(sources.quotes.get("en", []), 900, rng):
        chats.append((rng.choice(("Tell me a joke.", "Give me a quote.", "Say something wise.", "Make me laugh.", "Write a short text.",
                                  "Quote about " + rng.choice(nouns)["lemma"])), snippet(text, 80, 500, rng)))
    for item in up_to(sources.library, 700, rng):
        chats.append((f"Write {item['name']} in Python.", f"```python\n{item['source'][:600]}\n```"))
    return chats


# Category -> its maker (in this order they draw from one generator) and its share of the computed tokens.
CATEGORIES = {
    "short English": (short_english, 0.37),
    "short, other languages": (short_other_languages, 0.20),
    "paragraphs, other languages": (paragraphs_other_languages, 0.08),
    "code": (code, 0.11),
    "paragraphs, English": (paragraphs_english, 0.12),
    "with an answer": (with_answer, 0.12),
}


def build_chats(rng: random.Random) -> tuple[dict[str, list[Chat]], dict[str, int]]:
    """Category -> shuffled chats; and the sizes of the sources."""
    sources = read_sources()
    for name, count in sources.sizes().items():
        if not count:
            print(f"warning: no text from {name.format(0)}; the result will differ from the published one", file=sys.stderr)
    chats = {name: make(sources, rng) for name, (make, _) in CATEGORIES.items()}
    for category in chats.values():
        rng.shuffle(category)
    return chats, sources.sizes()
