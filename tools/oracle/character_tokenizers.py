"""Small tokenizers over characters (Gemma's, Llama 2's and what lies between), with texts: what
tests/goldens/tokenizers/characters.json is made of. Tokenizers of GGUF files are those that transformers makes of them."""

import json
import random

from tokenizers import Tokenizer
from transformers.integrations.gguf.gguf_tokenizer_mapping import convert_gguf_tokenizer

MARK = "\u2581"
SPECIAL = ["<unk>", "<s>", "</s>"]
BYTE_TOKENS = [f"<0x{byte:02X}>" for byte in range(256)]
LETTERS = list("abdehinorstw.,\n<>0x4E") + [MARK, "\u00e9", "\u4e2d"]
WORDS = ["th", "he", "the", MARK + "t", MARK + "the", "in", "ing", MARK + MARK, MARK * 4, "\n\n", "aa", "aaa", "aaaa",
         "ab", "abab", "ba", "\u4e2d\u4e2d", "no", "on", "not", "ton", "<0", MARK + "no"]
SIMPLE = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
ADDED = [("<unk>", {"special": True}), ("<s>", {"special": True}), ("</s>", {"special": True}),
         ("\n\n\n", {}), (MARK * 3, {}), ("<n o>", {"normalized": True}), ("<l>", {"lstrip": True}),
         ("<r>", {"rstrip": True}), ("<w>", {"single_word": True})]
DECODER = {"type": "Sequence", "decoders": [
    {"type": "Replace", "pattern": {"String": MARK}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
    {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
SPACES = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}
PREPEND = {"type": "Prepend", "prepend": MARK}


def merges_of(tokens):
    """All ways to put a token together from two others, the earlier tokens first."""
    known = set(tokens)
    cuts = [(token[:i], token[i:]) for token in tokens if token not in SPECIAL + BYTE_TOKENS
            for i in range(len(token) - 1, 0, -1)]
    return [list(cut) for cut in cuts if cut[0] in known and cut[1] in known]


def metaspace(**keys):
    return {"type": "Metaspace", "replacement": MARK, **keys}


def split_at_spaces(behavior):
    return {"type": "Split", "pattern": {"String": " "}, "behavior": behavior, "invert": False}


def sequence(kind, *parts):
    return {"type": "Sequence", {"n": "normalizers", "p": "pretokenizers"}[kind]: list(parts)}


def document(normalizer=SPACES, pre_tokenizer=None, bytes_left_out=(), letters_left_out="", **model):
    tokens = [token for token in SPECIAL + BYTE_TOKENS + LETTERS + WORDS
              if token not in bytes_left_out and token not in letters_left_out]
    tokens = [token for token in tokens if token in SPECIAL + BYTE_TOKENS or not set(letters_left_out) & set(token)]
    options = {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True, "ignore_merges": False, **model}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [{"id": i, "content": text, **SIMPLE, **flags} for i, (text, flags) in enumerate(ADDED)],
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": None, "decoder": DECODER,
            "model": {"type": "BPE", "dropout": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                      **options, "vocab": {token: i for i, token in enumerate(tokens)},
                      "merges": options.pop("merges", merges_of(tokens))}}


def cases():
    yield "gemma", document(pre_tokenizer=split_at_spaces("MergedWithPrevious"))
    yield "llama 2", document(sequence("n", PREPEND, SPACES))
    yield "nothing replaced", document(None)
    yield "split before replacing", document(None, sequence("p", split_at_spaces("MergedWithPrevious"), metaspace()))
    for scheme in ("always", "first", "never"):
        for split in (True, False):
            yield f"metaspace {scheme} {split}", document(None, metaspace(prepend_scheme=scheme, split=split))
    yield "metaspace of 2023", document(None, metaspace(add_prefix_space=True))
    yield "replaced by a pattern", document(
        sequence("n", {"type": "Replace", "pattern": {"Regex": r"\s+|\p{N}{2}"}, "content": MARK}, {"type": "NFC"}))
    yield "replaced by nothing", document({"type": "Replace", "pattern": {"String": "th"}, "content": ""})
    yield "no byte fallback", document(byte_fallback=False)
    yield "unknown one by one", document(byte_fallback=False, fuse_unk=False)
    yield "nothing is unknown", document(byte_fallback=False, unk_token=None)
    yield "bytes missing", document(bytes_left_out=("<0xC3>", "<0x0D>"))
    yield "bytes missing, one by one", document(bytes_left_out=("<0xC3>", "<0x0D>"), fuse_unk=False)
    yield "letters by bytes", document(letters_left_out="ab")
    yield "bytes that merge", with_merge(document(letters_left_out="b"), "a", "<0x62>")
    yield "merges ignored", document(ignore_merges=True, merges=[])
    yield "merges as text", document(merges=[" ".join(pair) for pair in merges_of(SPECIAL + LETTERS + WORDS)])


def with_merge(tokenizer, left, right):
    """With one more token, of a letter and the token of a byte."""
    tokenizer["model"]["vocab"][left + right] = len(tokenizer["model"]["vocab"])
    tokenizer["model"]["merges"].append([left, right])
    return tokenizer


def vocabularies():
    """Of GGUF files. A space goes in front of every stretch as llama.cpp does it: transformers does so for phi3."""
    for architecture, tokens in (("gemma3", SPECIAL + BYTE_TOKENS + ["\n\n\n", "  ", "    "] + WORDS_WITHOUT_RUNS + LETTERS),
                                 ("phi3", SPECIAL + BYTE_TOKENS + WORDS + LETTERS)):
        types = [2, 3, 3] + [6] * 256 + [4 if token == "\n\n\n" else 1 for token in tokens[259:]]
        scores = [-float(len(tokens) - i if architecture == "phi3" else 0) for i in range(len(tokens))]
        yield {"model": "llama", "pre": "default", "architecture": architecture, "tokens": tokens, "types": types,
               "scores": scores, "add_space_prefix": architecture == "phi3"}


WORDS_WITHOUT_RUNS = [word for word in WORDS if word not in (MARK * 2, MARK * 4)]


def texts():
    generator = random.Random(20261127)
    parts = LETTERS + WORDS + ["<unk>", "<s>", "</s>", "\n\n\n", MARK * 3, "<n o>", "<l>", "<r>", "<w>", "<0x0A>", " ",
                               "  ", "\r\n", "\U0001f600", "\u00e9\u0301", "e\u0301", "42", "\x00"]
    result = ["", " ", "the thing", " the  thing", "<s>the<s> the <s>", "  <l>  x<r>  y", "a<w> <w>", "x<n o>y", "\u00e9\r\u4e2d\u00ff"]
    result += ["".join(generator.choice(parts) for _ in range(generator.randrange(1, 12))) for _ in range(40)]
    return result


def long_texts():
    """Longer than a window of merging."""
    generator = random.Random(17)
    result = ["".join(generator.choice(letters) for _ in range(3000)) for letters in ("ab", "ton", "the in")]
    return result + ["a" * 2999, "abab" * 700]


def make(hash_of):
    """`hash_of` the ids of a list of texts."""
    result = {"texts": texts(), "long_texts": long_texts(), "cases": [], "gguf": []}
    for name, tokenizer in cases():
        library = Tokenizer.from_str(json.dumps(tokenizer))
        result["cases"].append({"name": name, "tokenizer": tokenizer, **ids_of(library, result, hash_of)})
    for vocabulary in vocabularies():
        fields = {"tokenizer_type": "llama", "tokens": vocabulary["tokens"], "scores": vocabulary["scores"],
                  "token_type": vocabulary["types"], "add_prefix_space": vocabulary["add_space_prefix"]}
        library, _ = convert_gguf_tokenizer(vocabulary["architecture"], fields)
        result["gguf"].append({"vocabulary": vocabulary, **ids_of(library, result, hash_of)})
    return result


def ids_of(tokenizer, golden, hash_of):
    short, long = ([tokenizer.encode(text, add_special_tokens=False).ids for text in golden[key]]
                   for key in ("texts", "long_texts"))
    return {"ids": short, "hash": hash_of(long)}
