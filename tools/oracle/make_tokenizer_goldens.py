#!/usr/bin/env python3
"""Regenerates tests/goldens/tokenizers/ with the Python library `tokenizers`, the definition of what
src/text/tokenizer.h has to give.

  texts.jsonl      the texts for the real tokenizers: a JSON string, or ["unit", count] for a long one
  <name>.json      hashes of the ids of groups of texts, and full ids of a few
  synthetic.json   small tokenizers with texts and their ids, for tests that need no fetched file
  characters.json  the same for tokenizers over characters
  unicode.json     hashes over all code points for pipelines that show how each one is classified

usage: make_tokenizer_goldens.py TOKENIZERS [--gguf FILE] [--output FOLDER]
where TOKENIZERS is the folder that tools/fetch_tokenizers.sh fills. With --gguf, the vocabulary of that
file is also written to TOKENIZERS/smollm2_gguf/vocabulary.json, for the test to read.
"""

import argparse
import json
import random
from pathlib import Path

import character_tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel

NAMES = ["gemini", "gemma3", "gptoss", "llama2", "llama3_1", "llama3_2", "mistral_nemo", "qwen2_5", "qwen3"]
ROOT = Path(__file__).resolve().parents[2]
GROUP = 50  # texts per hash
FULL = 48  # texts with full ids
LINES = 2000
SPACES = [" ", "  ", "   ", "\n", "\n\n", " \n", "\r\n", "\t", "\u00a0", "\u3000", "\u2003 "]
CORNERS = [
    "e\u0301 E\u0301\u0323 a\u0323\u0302 \u1e9b\u0323", "\u212b \u2126 \u00c5 A\u030a", "\uac00 \u1100\u1161\u11a8",
    "\u0958 \u0929 \u0928\u093c", "q\u0307\u0323 q\u0323\u0307", "\u0344 \u0f43 \ufb1d \ufb4b",
    "\u200b\u200c\u200d\u2060\ufeff", "\u202e abc \u202c", "\x00\x01\x02\x1b\x1c\x1d\x1e\x1f\x7f\x80\x85\x9f",
    "\u180e \u1680 \u2028\u2029 \u205f", "I\u017f it\u2019s 'S '\u017f 'T 'RE 'Ll x'D '\u212a",
    "\ufffd\ufffe\uffff \U0001fffe \U0010ffff", "\ue000\uf8ff \U000f0000 \U00100000",
    "\U00010400\U00010428 \U0001d400\U0001d7ff \U00020000\U0002a6df\U00031350",
    "\u1c89\u1c8a \ua7cb \U00010d40\U00010d41 \U000105c0 \u0295", "\u0897a\u0301\u0897 \u1715\u1734",
    "\u0e01\u0e33 \u0ec0 \u0f71\u0f72\u0f74", "\ufb00\ufb06 \u01c5\u01c8\u01f2 \u1fbc",
    "\u0660\u06f0\u0966\u09e6 \u2160\u2460\u00b2\u00bd\u3007\u4e00", "''''s 's's' s's", "a\r\nb\rc\n\rd",
]
LONG = [
    ["a", 1000000], [" ", 1000000], ["\n", 100000], ["7", 100000], ["ab ", 350000], [" \t", 50000],
    ["A", 200000], ["\u4e2d", 100000], ["!?", 100000], ["\u0301", 20000], ["e\u0301\u0323", 20000],
    ["The quick brown fox, it's 42 years old!\r\n\r\n", 24000], ["\U0001f600\u200d", 20000],
    ["\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", 20000], [" \n", 20000], ["aB", 50000],
]


def fnv1a(texts_ids):
    """FNV-1a with 64 bits, over each text's number of ids and the ids; a word at a time, not a byte."""
    value = 0xCBF29CE484222325
    for ids in texts_ids:
        for word in (len(ids), *ids):
            value = (value ^ word) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def make_texts(corpus):
    generator = random.Random(20240607)

    def code_point():
        low, high = generator.choice(
            [(0x21, 0x7F), (0xA1, 0x250), (0x250, 0x2000), (0x2000, 0x3400), (0x3400, 0xD800),
             (0xE000, 0x10000), (0x10000, 0x20000), (0x20000, 0x34000), (0xE0000, 0xE01F0)])
        return chr(generator.randrange(low, high))

    def fragment():
        kind = generator.random()
        if kind < 0.55:
            line = generator.choice(corpus)
            begin = generator.randrange(len(line))
            return line[begin:begin + generator.randrange(4, 60)]
        if kind < 0.70:
            return generator.choice(CORNERS)
        if kind < 0.80:
            return "".join(code_point() for _ in range(generator.randrange(1, 6)))
        if kind < 0.88:
            return str(generator.randrange(10 ** generator.randrange(1, 12)))
        if kind < 0.94:
            return generator.choice(["'s", "'RE", "n't", "/", "//", "...", "!!", "\u0301", "_", "-->"])
        return generator.choice([" ", "\n", "\t", "\r\n"]) * generator.randrange(2, 40)

    texts = [""] + corpus + CORNERS
    while len(texts) < LINES:
        text = "".join(
            fragment() + generator.choice(SPACES + [""] * 8) for _ in range(generator.randrange(1, 5)))
        texts.append(text.upper() if generator.random() < 0.05 else text)
    return texts


def added_token_texts(tokenizer_json):
    for token in tokenizer_json["added_tokens"]:
        content = token["content"]
        yield f"{content}"
        yield f"a{content}b"
        yield f"Hi  {content} \n x{content}{content}\n{content[:-1]}{content[1:]}"


def expand(text):
    return text[0] * text[1] if isinstance(text, list) else text


def ids_of(tokenizer, texts):
    return [tokenizer.encode(expand(text), add_special_tokens=False).ids for text in texts]


def golden(tokenizer, texts, added):
    ids = ids_of(tokenizer, texts)
    result = {"groups": [fnv1a(ids[i:i + GROUP]) for i in range(0, len(ids), GROUP)],
              "ids": ids[:FULL]}
    if added:
        result["added_tokens"] = fnv1a(ids_of(tokenizer, added))
    return result


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


# ---- synthetic tokenizers

BYTES = sorted(ByteLevel.alphabet())
TOKENS = ["he", "\u0120t", "\u0120the", "the", "th", "in", "ing", "\u0120\u0120", "\u0120\u0120\u0120\u0120",
          "\u010a\u010a", "12", "123", "34", "'s", "\u00c3\u00a9", "\u00e4\u00b8", "\u00e4\u00b8\u0143", "whole",
          "aa", "aaa", "aaaa"]
MERGES = ["h e", "\u0120 t", "\u0120t he", "t h", "th e", "t he", "i n", "in g", "\u0120 \u0120", "\u0120\u0120 \u0120\u0120",
          "\u010a \u010a", "1 2", "12 3", "3 4", "' s", "\u00c3 \u00a9", "\u00e4 \u00b8", "\u00e4\u00b8 \u0143", "a a", "aa a",
          "aa aa"]
TEXTS = [
    "", "the thing's in the whole", "  the    the\n\n\n x", "1234 12 34", "whole", " whole", "aaaaaaaaa aaa aa",
    "caf\u00e9 cafe\u0301 \u212b", "\u4e2d\u6587\u4e2d", "<s>the</s> <s> the", "a<w>b <w> c<w>", "x  <l>  y<l>z",
    "x  <r>  y<r>z", "<both>  <both>", "the <n\u00e9> <ne\u0301>", "the,thing; in-the", "\r\n\t the\u3000the\u00a0",
    "\u00b2\u00bd\u0663 7\u2167", "THE 'S '\u017f", "\x00\x7f\u0085\u180e", "<s><s>", "<ss><sss>", "a_<w> _<w>_ \u0301<w>",
    "\U0001f600\u200d\U0001f600",
]
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
ADDED = [("<s>", {"special": True}), ("</s>", {"special": True}), ("<w>", {"single_word": True}),
         ("<l>", {"lstrip": True}), ("<r>", {"rstrip": True}),
         ("<both>", {"lstrip": True, "rstrip": True}), ("<n\u00e9>", {"normalized": True}), ("<ss>", {}),
         ("whole", {"single_word": True, "normalized": True}), ("<sss", {})]
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
GPT2 = dict(BYTE_LEVEL, use_regex=True)
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
          r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
          r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


def tokenizer_json(pre_tokenizer, normalizer=None, added=(), missing="", **model):
    tokens = [token for token in BYTES if token not in missing] + TOKENS
    vocab = {token: i for i, token in enumerate(tokens)}
    added_tokens = [{"id": 0, "content": content, **FLAGS, **flags} for content, flags in added]
    merges = model.pop("merges", MERGES)
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added_tokens,
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": None,
            "decoder": dict(GPT2),
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                      "ignore_merges": False, **model, "vocab": vocab, "merges": merges}}


def synthetic_cases():
    yield "gpt2", tokenizer_json(GPT2)
    yield "no pre-tokenizer regex", tokenizer_json(BYTE_LEVEL)
    yield "prefix space", tokenizer_json(dict(GPT2, add_prefix_space=True), added=ADDED)
    yield "llama3", tokenizer_json(sequence(split(LLAMA3), BYTE_LEVEL), added=ADDED, ignore_merges=True)
    yield "qwen2", tokenizer_json(sequence(split(QWEN2), BYTE_LEVEL), {"type": "NFC"}, ADDED)
    yield "digits", tokenizer_json(sequence({"type": "Digits", "individual_digits": True}, GPT2))
    yield "contiguous digits", tokenizer_json(sequence({"type": "Digits", "individual_digits": False}, BYTE_LEVEL))
    yield "whitespace", tokenizer_json(sequence({"type": "WhitespaceSplit"}, dict(BYTE_LEVEL, add_prefix_space=True)))
    yield "pairs", tokenizer_json(GPT2, merges=[merge.split(" ") for merge in MERGES])
    yield "version line", tokenizer_json(GPT2, merges=["#version: 0.2"] + MERGES)
    yield "repeated merge", tokenizer_json(BYTE_LEVEL, merges=MERGES + ["t h", "a a"])
    yield "missing bytes", tokenizer_json(GPT2, missing="xbc")
    yield "unknown", tokenizer_json(GPT2, missing="xbcf", unk_token="'s")
    yield "fused unknown", tokenizer_json(GPT2, missing="xbcf", unk_token="'s", fuse_unk=True)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        yield form, tokenizer_json(GPT2, {"type": form}, ADDED)
    yield "normalizer sequence", tokenizer_json(
        GPT2, {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "NFKC"}]}, ADDED)
    for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        for invert in (False, True):
            yield f"{behavior} {invert}", tokenizer_json(
                sequence(split(r"[\s,;-]|th", behavior, invert), BYTE_LEVEL))
        yield f"{behavior} literal", tokenizer_json(sequence(split("t", behavior, kind="String"), BYTE_LEVEL))
    yield "empty matches", tokenizer_json(sequence(split(r"a*|\s"), BYTE_LEVEL))
    yield "line ends", tokenizer_json(sequence(split(r"^.|.$", "Removed"), BYTE_LEVEL))


def gguf_cases():
    """Vocabularies as in GGUF files, with the pipeline that each name stands for."""
    pipelines = {"smollm": (sequence({"type": "Digits", "individual_digits": True}, GPT2), None, False),
                 "llama-bpe": (sequence(split(LLAMA3), BYTE_LEVEL), None, True),
                 "qwen2": (sequence(split(QWEN2), BYTE_LEVEL), {"type": "NFC"}, False),
                 "tekken": (sequence(split(TEKKEN), BYTE_LEVEL), None, True),
                 "gpt-2": (GPT2, None, False), "default": (GPT2, None, False)}
    tokens = BYTES + TOKENS + ["<s>", "</s>", "<ss>"]
    types = [1] * len(BYTES + TOKENS) + [3, 3, 4]
    for pre, (pre_tokenizer, normalizer, ignore_merges) in pipelines.items():
        document = tokenizer_json(pre_tokenizer, normalizer, [("<s>", {"special": True}),
                                  ("</s>", {"special": True}), ("<ss>", {})], ignore_merges=ignore_merges)
        yield {"model": "gpt2", "pre": pre, "tokens": tokens, "merges": MERGES, "types": types}, document


def synthetic():
    cases = []
    for name, document in synthetic_cases():
        tokenizer = Tokenizer.from_str(json.dumps(document))
        cases.append({"name": name, "tokenizer": document, "ids": ids_of(tokenizer, TEXTS)})
    gguf = []
    for vocabulary, document in gguf_cases():
        tokenizer = Tokenizer.from_str(json.dumps(document))
        gguf.append({"vocabulary": vocabulary, "ids": ids_of(tokenizer, TEXTS)})
    return {"texts": TEXTS, "cases": cases, "gguf": gguf}


# ---- every code point

CLASSES = ["L", "N", "M", "P", "S", "Z", "C", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl", "No", "Cf"]


def unicode_pipelines():
    for name in CLASSES:
        yield f"class {name}", sequence(split(r"\p{%s}" % name, "Removed"), BYTE_LEVEL), None
    yield "space", sequence(split(r"\s", "Removed"), BYTE_LEVEL), None
    yield "caseless", sequence(split(r"(?i:s|k|t|re|ll)", "Removed"), BYTE_LEVEL), None
    yield "whitespace split", sequence({"type": "WhitespaceSplit"}, BYTE_LEVEL), None
    # a character that Digits cuts off is no longer between two letters
    yield "digits", sequence({"type": "Digits", "individual_digits": True}, split(r"a[^\n]a", "Removed"),
                             BYTE_LEVEL), None
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        yield form, BYTE_LEVEL, {"type": form}


def unicode_text(block, normalised):
    """All code points of a block of 4096; where the text is normalised, between others that show
    reordering and composition."""
    frame = "{0}\u0301\na\u0315{0}\u0334\u0323\n" if normalised else "a{0}a\n"
    code_points = range(block << 12, (block + 1) << 12)
    return "".join(frame.format(chr(c)) for c in code_points if not 0xD800 <= c <= 0xDFFF)


def unicode_goldens():
    vocab = {token: i for i, token in enumerate(BYTES)}
    result = []
    for name, pre_tokenizer, normalizer in unicode_pipelines():
        document = tokenizer_json(pre_tokenizer, normalizer, merges=[])
        document["model"]["vocab"] = vocab
        tokenizer = Tokenizer.from_str(json.dumps(document))
        texts = [unicode_text(block, normalizer is not None) for block in UNICODE_BLOCKS]
        hashes = [fnv1a([ids]) for ids in ids_of(tokenizer, texts)]
        result.append({"name": name, "tokenizer": document, "hashes": hashes})
    return {"blocks": UNICODE_BLOCKS, "pipelines": result}


# Planes 0 to 3, and the corners of the planes without assigned characters.
UNICODE_BLOCKS = list(range(0x34)) + [0x40, 0xDF, 0xE0, 0xEF, 0xF0, 0x10F]


# ---- the vocabulary of a GGUF file

def read_gguf(path):
    from gguf import GGUFReader

    fields = GGUFReader(path).fields
    content = {key: fields[f"tokenizer.ggml.{key}"].contents()
               for key in ("model", "pre", "tokens", "merges", "token_type")}
    content["types"] = content.pop("token_type")
    return content


def gguf_tokenizer(vocabulary):
    """The SmolLM2 tokenizer: the file's vocabulary with the pipeline of the model's tokenizer.json."""
    vocab = {token: i for i, token in enumerate(vocabulary["tokens"])}
    merges = [tuple(merge.split(" ")) for merge in vocabulary["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(True), ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([
        AddedToken(token, normalized=False, special=True)
        for token, kind in zip(vocabulary["tokens"], vocabulary["types"]) if kind in (3, 4)])
    return tokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizers", type=Path)
    parser.add_argument("--gguf", type=Path, help="SmolLM2-135M-Instruct, any quantisation")
    parser.add_argument("--output", type=Path, default=ROOT / "tests/goldens/tokenizers")
    arguments = parser.parse_args()
    output = arguments.output

    corpus = [line.replace("\\n", "\n").replace("\\t", "\t")
              for line in (output / "corpus.txt").read_text().splitlines()]
    texts = make_texts(corpus) + LONG
    with open(output / "texts.jsonl", "w") as file:
        for text in texts:
            file.write(json.dumps(text, ensure_ascii=False) + "\n")
    for name in NAMES:
        path = arguments.tokenizers / name / "tokenizer.json"
        tokenizer = Tokenizer.from_file(str(path))
        added = list(added_token_texts(json.loads(path.read_text())))
        write_json(output / f"{name}.json", golden(tokenizer, texts, added))
    if arguments.gguf:
        vocabulary = read_gguf(arguments.gguf)
        folder = arguments.tokenizers / "smollm2_gguf"
        folder.mkdir(exist_ok=True)
        write_json(folder / "vocabulary.json", vocabulary)
        write_json(output / "smollm2_gguf.json", golden(gguf_tokenizer(vocabulary), texts, None))
    write_json(output / "synthetic.json", synthetic())
    write_json(output / "characters.json", character_tokenizers.make(fnv1a))
    write_json(output / "unicode.json", unicode_goldens())


if __name__ == "__main__":
    main()
