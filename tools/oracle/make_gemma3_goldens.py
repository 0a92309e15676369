#!/usr/bin/env python3
"""Goldens of Gemma 3 270M (4-bit GGUF, dequantised): ids, activations at the last token, bfloat16's error.

Writes tests/goldens/gemma3/{prompts.json,activations.safetensors,bf16_error.json}. It is a base model without a chat
template: a text is <bos> and the prompt. Some prompts are longer than the window of its local layers (512 tokens).
tools/fetch_gemma3.sh fetches the file.
"""
from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from common import GOLDENS, REPO, fresh_folder, layer_outputs, relative_error, write_json, write_tensors

LAYERS = [4, 11, 17]  # local, global (every sixth), the last
PROMPTS = 12
LONG = [(0, 40), (60, 100), (120, 150)]  # ranges of prompts that are joined to a long one


def read_prompts() -> list[str]:
    texts = []
    for path in sorted((REPO / "prompts").glob("*.jsonl"), key=lambda p: p.name.encode()):
        texts += [json.loads(line)["content"] for line in path.read_text("utf-8").splitlines() if line.strip()]
    short = texts[::len(texts) // PROMPTS][:PROMPTS]
    return short + ["\n".join(texts[begin:end]) for begin, end in LONG]


def run(model, sequences: list[list[int]]) -> dict[int, torch.Tensor]:
    """{layer: [prompts, d] at the last token}, float32."""
    outputs = {layer: [] for layer in LAYERS}
    for ids in sequences:
        for layer, output in layer_outputs(model, ids, LAYERS).items():
            outputs[layer].append(output[-1].float())
    return {layer: torch.stack(rows) for layer, rows in outputs.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gemma3", type=Path, required=True, help="gemma-3-270m-q4_k_m.gguf")
    parser.add_argument("--tokenizers", type=Path, required=True, help="has gemma3/tokenizer.json")
    arguments = parser.parse_args()
    path = arguments.gemma3
    tokenizer = Tokenizer.from_file(str(arguments.tokenizers / "gemma3" / "tokenizer.json"))
    model = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32,
                                                 attn_implementation="sdpa").eval()
    records = [{"content": text, "ids": tokenizer.encode("<bos>" + text, add_special_tokens=False).ids}
               for text in read_prompts()]
    sequences = [record["ids"] for record in records]
    assert max(map(len, sequences)) > model.config.sliding_window + 100, list(map(len, sequences))
    full = run(model, sequences)
    half = run(model.to(torch.bfloat16), sequences)

    folder = fresh_folder(GOLDENS / "gemma3")
    write_json(folder / "prompts.json", {
        "gguf": {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        "layers": LAYERS, "prompts": records})
    write_tensors(folder / "activations.safetensors", {f"layer_{layer}": full[layer] for layer in LAYERS})
    write_json(folder / "bf16_error.json", {
        "torch": torch.__version__, "transformers": transformers.__version__,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(), "prompts": len(records),
        "layers": {str(layer): relative_error(half[layer], full[layer]) for layer in LAYERS}})


if __name__ == "__main__":
    main()
