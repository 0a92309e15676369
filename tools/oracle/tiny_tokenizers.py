"""Small tokenizers with the structure of the Llama 3, the Qwen 2.5 and the Gemma 3 ones, and chat templates for them.

Each is a folder's tokenizer.json, tokenizer_config.json and chat_template.jinja: 256 bytes, 60 to 120 merges and the
special tokens. `assistant` and a blank line (Gemma: `model` and a line end) are one token each, as in the real
vocabularies. Gemma's can be written as the vocabulary of a GGUF file, too.
"""
from __future__ import annotations

from pathlib import Path

import gguf

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from common import write_json

MERGES = 120

LLAMA_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
               r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN_SPLIT = LLAMA_SPLIT.replace(r"\p{N}{1,3}", r"\p{N}")

LLAMA_TEMPLATE = """{{- bos_token }}
{%- for message in messages %}
    {%- if message['role'] not in ['system', 'user', 'assistant'] %}
        {{- raise_exception('unknown role ' + message['role']) }}
    {%- endif %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

QWEN_TEMPLATE = """{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nassistant<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role != 'system' or not loop.first %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

GEMMA_TEMPLATE = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = '' -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception('Conversation roles must alternate') }}
    {%- endif -%}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else '') }}
    {{- message['content'] | trim }}
    {{- '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{ '<start_of_turn>model\n' }}
{%- endif -%}
"""

# Merges are learnt by frequency: the words of the templates first, then those of a few ordinary sentences.
CORPUS = ["assistant", "\n\n"] * 400 + ["user", "system", "\n"] * 200 + [
    "How do you feel about the weather today? I think that the sun will come out in the afternoon.",
    "What is it like to be you? Tell me something about yourself and what you want to learn.",
    "The model reads the prompt, one token after the other, and writes the answer.",
] * 10


def _train(split: str, normalizer, trim_offsets: bool, ignore_merges: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(split), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=trim_offsets, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=256 + MERGES, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
                                  show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def _write(folder: Path, tokenizer: Tokenizer, template: str, config: dict,
           single: tuple[str, ...] = ("assistant", "\n\n", "\n")) -> None:
    for text in single:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert len(ids) == 1, (text, ids)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(template, "utf-8")
    added = {str(i): {"content": t.content, "lstrip": t.lstrip, "normalized": t.normalized, "rstrip": t.rstrip,
                      "single_word": t.single_word, "special": t.special}
             for i, t in sorted(tokenizer.get_added_tokens_decoder().items())}
    write_json(folder / "tokenizer_config.json", {"added_tokens_decoder": added, **config})


def write_llama_tokenizer(folder: Path) -> Tokenizer:
    """Llama 3's structure: BOS put in front by the post-processor (and by the template), `ignore_merges`."""
    tokenizer = _train(LLAMA_SPLIT, None, trim_offsets=True, ignore_merges=True)
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A",
                                      pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                                      special_tokens=[(special[0], tokenizer.token_to_id(special[0]))]),
    ])
    _write(folder, tokenizer, LLAMA_TEMPLATE, {
        "bos_token": "<|begin_of_text|>", "clean_up_tokenization_spaces": False, "eos_token": "<|eot_id|>",
        "model_input_names": ["input_ids", "attention_mask"], "model_max_length": 512,
        "tokenizer_class": "PreTrainedTokenizerFast"})
    return tokenizer


def write_qwen_tokenizer(folder: Path) -> Tokenizer:
    """Qwen 2.5's structure: NFC, digits one by one, no BOS, one added token that is not special."""
    tokenizer = _train(QWEN_SPLIT, normalizers.NFC(), trim_offsets=False, ignore_merges=False)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False)
                                  for text in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
    tokenizer.add_tokens([AddedToken("<tool_call>", special=False, normalized=False)])
    tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    _write(folder, tokenizer, QWEN_TEMPLATE, {
        "add_bos_token": False, "add_prefix_space": False, "bos_token": None, "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>", "errors": "replace", "model_max_length": 512, "pad_token": "<|endoftext|>",
        "split_special_tokens": False, "tokenizer_class": "PreTrainedTokenizerFast", "unk_token": None})
    return tokenizer


GEMMA_FIRST = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"]
GEMMA_RUNS = ["\n\n", "\n\n\n", "\u2581\u2581", "\u2581\u2581\u2581"]  # added tokens that are not special
GEMMA_MERGES = 50
GEMMA_CORPUS = ["model", "user"] * 400 + [text for text in CORPUS if len(text) > 20]


def write_gemma_tokenizer(folder: Path) -> Tokenizer:
    """Gemma 3's structure: BPE over characters with byte fallback, a space is written as \u2581, one word between two
    added tokens, runs of line ends and of spaces among these. The tokens' order is that of their merges."""
    learnt = Tokenizer(models.BPE())
    learnt.normalizer = normalizers.Replace(" ", "\u2581")
    learnt.pre_tokenizer = pre_tokenizers.Split("\u2581", behavior="merged_with_next")
    letters = len(set("".join(GEMMA_CORPUS)))
    learnt.train_from_iterator(GEMMA_CORPUS, trainers.BpeTrainer(vocab_size=letters + GEMMA_MERGES, show_progress=False))
    words = [learnt.id_to_token(i) for i in range(learnt.get_vocab_size())]
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    longer = [word for word in words if len(word) > 1]
    tokens = GEMMA_FIRST + GEMMA_RUNS + byte_tokens + longer + ["\n"] + [word for word in words if len(word) == 1]
    vocab = {token: i for i, token in enumerate(tokens)}
    assert len(vocab) == len(tokens)
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=_implied_merges(vocab), unk_token="<unk>", fuse_unk=True,
                                     byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", vocab["<bos>"])])
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in GEMMA_FIRST])
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in GEMMA_RUNS])
    _write(folder, tokenizer, GEMMA_TEMPLATE, {
        "add_bos_token": True, "add_eos_token": False, "bos_token": "<bos>",
        "clean_up_tokenization_spaces": False, "eos_token": "<end_of_turn>", "model_max_length": 512,
        "pad_token": "<pad>", "sp_model_kwargs": None, "spaces_between_special_tokens": False,
        "tokenizer_class": "GemmaTokenizer", "unk_token": "<unk>"}, single=("model", "user", "\n", "\n\n", "\u2581the"))
    return tokenizer


def _implied_merges(vocab: dict[str, int]) -> list[tuple[str, str]]:
    """All ways to put a token together from two others, in the order of Gemma's: the result's place, then the longer
    first part."""
    merges = []
    for token in vocab:
        if token in GEMMA_FIRST or token.startswith("<0x"):
            continue
        cuts = [(token[:i], token[i:]) for i in range(len(token) - 1, 0, -1)]
        merges += [cut for cut in cuts if cut[0] in vocab and cut[1] in vocab]
    return merges


def add_gemma_vocabulary(writer: gguf.GGUFWriter, folder: Path, rows: int) -> None:
    """The tokenizer that `write_gemma_tokenizer` wrote into `folder` and its template, as llama.cpp's converter writes
    Gemma's SentencePiece model: scores and no merges. `rows` of the embedding: tokens beyond the vocabulary are unused."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokens, scores, types = [], [], []
    for i in range(rows):
        token = tokenizer.id_to_token(i)
        tokens.append(f"[PAD{i}]" if token is None else token)
        scores.append(-float(i))
        types.append(_gemma_token_type(token))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    for name in ("bos", "eos", "unk", "pad"):
        text = {"eos": "<end_of_turn>"}.get(name, f"<{name}>")
        getattr(writer, f"add_{name}_token_id")(tokenizer.token_to_id(text))
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template((folder / "chat_template.jinja").read_text("utf-8"))


def _gemma_token_type(token: str | None) -> gguf.TokenType:
    if token is None:
        return gguf.TokenType.UNUSED
    if token in GEMMA_RUNS:
        return gguf.TokenType.USER_DEFINED
    if token == "<unk>":
        return gguf.TokenType.UNKNOWN
    if token in GEMMA_FIRST:
        return gguf.TokenType.CONTROL
    return gguf.TokenType.BYTE if token.startswith("<0x") else gguf.TokenType.NORMAL
