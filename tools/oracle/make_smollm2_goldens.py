#!/usr/bin/env python3
"""Goldens of SmolLM2-135M-Instruct (4-bit GGUF, dequantised): rendered text, ids, activations, bfloat16's error.

Writes tests/goldens/smollm2/{prompts.json,activations.safetensors,bf16_error.json}. Sixty prompts of prompts/, the first
twelve chosen by hand for their scripts and lengths. See tests/goldens/README.md.
"""
from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import gguf
import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from common import (GOLDENS, REPO, encode, fresh_folder, layer_outputs, relative_error, render, write_json, write_tensors)

LAYERS = [9, 18]
POSITIONS = {"asst": -2, "newline": -1}  # last token of `assistant`, and the line feed after it
PROMPTS = 60

# The twelve, by how a prompt of prompts/ begins: several paragraphs, code, an emoji, the template's own marks, two
# normal forms of one letter, and eight scripts.
CHOSEN = [
    "How do you feel?", "🙂", "Read the report below", "Why does this print [1, 2, 3, 3]?",
    "What does <|im_start|>assistant mean", "👩\u200d👩", "line one\nline two", "naïve café", "Расскажи мне сказку",
    "ما هو شعورك", "मुझे बारिश", "雨の日に",
]


def read_prompts() -> list[dict]:
    records = []
    for path in sorted((REPO / "prompts").glob("*.jsonl"), key=lambda p: p.name.encode()):
        records += [{"file": path.name, **json.loads(line)} for line in path.read_text("utf-8").splitlines() if line.strip()]
    return records


def choose(records: list[dict]) -> list[dict]:
    """The twelve, then every n-th of the others."""
    first = []
    for beginning in CHOSEN:
        first.append(next(r for r in records if r["content"].startswith(beginning)))
    others = [r for r in records if r not in first]
    wanted = PROMPTS - len(first)
    return first + [others[i * len(others) // wanted] for i in range(wanted)]


def tokenizer_of(path: Path) -> PreTrainedTokenizerFast:
    """The model's tokenizer out of the file's metadata, with the pre-tokenizer of its own tokenizer.json (digits one by
    one, then GPT-2's pattern), which transformers does not restore from a GGUF file."""
    fields = {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()
              if name.startswith("tokenizer.")}
    assert fields["tokenizer.ggml.pre"] == "smollm"
    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False)
                                  for token, kind in zip(tokens, kinds) if kind == gguf.TokenType.CONTROL])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=fields["tokenizer.chat_template"],
                                   bos_token="<|im_start|>", eos_token="<|im_end|>")


def load(path: Path):
    model = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32,
                                                 attn_implementation="sdpa").eval()
    assert model.config.rope_parameters["rope_theta"] == 100000.0, model.config.rope_parameters
    model.model.layers = model.model.layers[:max(LAYERS) + 1]  # nothing above is read
    return model


def run(model, sequences: list[list[int]]) -> dict[int, list[torch.Tensor]]:
    """{layer: one [tokens, d] per sequence}, float32."""
    outputs = {layer: [] for layer in LAYERS}
    for ids in sequences:
        for layer, output in layer_outputs(model, ids, LAYERS).items():
            outputs[layer].append(output.float())
    return outputs


def at_taps(outputs: list[torch.Tensor]) -> torch.Tensor:
    """[prompts, token types, d]."""
    return torch.stack([output[list(POSITIONS.values())] for output in outputs])


def errors(found: list[torch.Tensor], expected: list[torch.Tensor]) -> dict[str, float]:
    taps_found, taps_expected = at_taps(found), at_taps(expected)
    report = {"taps": relative_error(taps_found, taps_expected)}
    for i, token in enumerate(POSITIONS):
        report[token] = relative_error(taps_found[:, i], taps_expected[:, i])
    report["all_positions"] = relative_error(torch.cat(found), torch.cat(expected))
    report["all_positions_but_first"] = relative_error(torch.cat([t[1:] for t in found]),
                                                       torch.cat([t[1:] for t in expected]))
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=Path, required=True, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    path = parser.parse_args().gguf
    tokenizer, model = tokenizer_of(path), load(path)

    records = choose(read_prompts())
    for record in records:
        record["text"] = render(tokenizer, record["content"])
        record["ids"] = encode(tokenizer, record["text"])
        assert tokenizer.decode(record["ids"][-3:]) == "assistant\n", record
    sequences = [record["ids"] for record in records]
    full = run(model, sequences)
    half = run(model.to(torch.bfloat16), sequences)

    folder = fresh_folder(GOLDENS / "smollm2")
    write_json(folder / "prompts.json", {
        "gguf": {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        "layers": LAYERS, "positions": POSITIONS, "chosen": len(CHOSEN), "prompts": records})
    write_tensors(folder / "activations.safetensors", {f"layer_{layer}": at_taps(full[layer]) for layer in LAYERS})
    write_json(folder / "bf16_error.json", {
        "torch": torch.__version__, "transformers": transformers.__version__,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(), "prompts": len(records),
        "layers": {str(layer): errors(half[layer], full[layer]) for layer in LAYERS}})


if __name__ == "__main__":
    main()
