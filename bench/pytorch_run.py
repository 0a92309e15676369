"""The universal analysis in PyTorch, three ways: what `run_sae_analysis` is compared with.

    pytorch_run.py --structure seed|competent|tuned --model DIR --saes DIR --layers 11,15 --tokens '{"asst": -3}'
                   --prompts FILE --output universal.csv [--dtype bfloat16|float32]

- seed: as researchers' notebooks do it: one forward of the whole stack for each layer, prompts in their given order,
  padded in batches of 8; SAEs through dictionary_learning's load_dictionary.
- competent: one forward for both layers, stopped behind the highest, batches of 8 of similar length; load_dictionary,
  encoding in batches of 8 prompts too.
- tuned: the same forward; of `ae.pt` the encoder alone, mapped into memory; all rows encoded at once.

All use transformers with its default attention, in bfloat16 or, where the processor is faster in it, float32, and dictionary_learning's arithmetic in float32. The last
line of stdout is a JSON object: seconds by stage.
"""
from __future__ import annotations

import time

START = time.perf_counter()

import argparse  # noqa: E402 (the clock starts before the imports, which are a stage too)
import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import pandas as pd  # noqa: E402
import torch  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

sys.path.append(str(Path(__file__).resolve().parent.parent / "tools"))
from python_stubs import stubbed_imports  # noqa: E402 (found on the path just added)

BATCH = 8
THRESHOLD, ACTIVATION_THRESHOLD = 0.3, 0.01


class Stopwatch:
    """Seconds by stage, from the start of the program on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = START

    def stage(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now


def read_prompts(tokenizer, path: Path) -> list[list[int]]:
    """Token ids of every prompt's rendered chat."""
    sequences = []
    for line in path.read_text().splitlines():
        text = tokenizer.apply_chat_template([{"role": "user", "content": json.loads(line)["content"]}],
                                             tokenize=False, add_generation_prompt=True)
        sequences.append(tokenizer(text, add_special_tokens=False).input_ids)
    return sequences


def forward(model, sequences: list[list[int]], order: list[int], layers: list[int], positions: list[int]):
    """Residual streams at the positions (from the end) of every sequence: {layer: [prompts, positions, d]} float32."""
    taken = {layer: [None] * len(sequences) for layer in layers}
    outputs = {}

    def tap(layer):
        def hook(module, args, output):
            outputs[layer] = output[0] if isinstance(output, tuple) else output
        return hook

    hooks = [model.model.layers[layer].register_forward_hook(tap(layer)) for layer in layers]
    for first in range(0, len(order), BATCH):
        batch = order[first:first + BATCH]
        longest = max(len(sequences[i]) for i in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, i in enumerate(batch):
            ids[row, :len(sequences[i])] = torch.tensor(sequences[i])
            mask[row, :len(sequences[i])] = 1
        model.model(input_ids=ids, attention_mask=mask, use_cache=False)
        for layer in layers:
            for row, i in enumerate(batch):
                places = [len(sequences[i]) + position for position in positions]
                taken[layer][i] = outputs[layer][row, places].float()
    for hook in hooks:
        hook.remove()
    return {layer: torch.stack(rows) for layer, rows in taken.items()}


def encode_with_package(folder: Path, activations: torch.Tensor, watch: Stopwatch) -> torch.Tensor:
    """[prompts, positions, d] -> [prompts, positions, features] through dictionary_learning."""
    with stubbed_imports():
        from dictionary_learning.utils import load_dictionary
    sae, _ = load_dictionary(str(folder), device="cpu")
    watch.stage("load SAEs")
    encoded = [sae.encode(batch) for batch in activations.split(BATCH)]
    return torch.cat(encoded)


def encode_mapped(folder: Path, activations: torch.Tensor, watch: Stopwatch) -> torch.Tensor:
    """The same arithmetic (BatchTopKSAE.encode) with the encoder read from the map, all rows at once."""
    state = torch.load(folder / "ae.pt", map_location="cpu", mmap=True, weights_only=True)
    watch.stage("load SAEs")
    rows = activations.flatten(0, 1) - state["b_dec"]
    encoded = torch.relu_(torch.nn.functional.linear(rows, state["encoder.weight"], state["encoder.bias"]))
    encoded.mul_(encoded > state["threshold"])
    return encoded.unflatten(0, activations.shape[:2])


def universal_rows(encoded: torch.Tensor, source: str, tokens: list[str]) -> list[pd.DataFrame]:
    """The statistics of every feature that is active on enough prompts, for each token type."""
    tables = []
    for index, token in enumerate(tokens):
        values = encoded[:, index]
        active = values > ACTIVATION_THRESHOLD
        counts = active.sum(0)
        chosen = torch.nonzero((counts >= 1) & (counts / len(values) >= THRESHOLD)).flatten()
        some = values[:, chosen]
        tables.append(pd.DataFrame({
            "feature_id": chosen, "activation_mean": (some * active[:, chosen]).sum(0) / counts[chosen],
            "activation_max": some.amax(0), "activation_min": some.amin(0), "num_prompts": counts[chosen],
            "source": source, "token": token}))
    return tables


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--structure", choices=["seed", "competent", "tuned"], required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--saes", type=Path, required=True)
    parser.add_argument("--layers", type=lambda text: [int(part) for part in text.split(",")], required=True)
    parser.add_argument("--tokens", type=json.loads, required=True, help="token type -> position from the end")
    parser.add_argument("--prompts", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    watch = Stopwatch()
    watch.stage("imports")
    tokenizer = AutoTokenizer.from_pretrained(str(options.model))
    model = AutoModelForCausalLM.from_pretrained(str(options.model), dtype=getattr(torch, options.dtype)).eval()
    sequences = read_prompts(tokenizer, options.prompts)
    watch.stage("prepare")

    positions = list(options.tokens.values())
    if options.structure == "seed":
        order = list(range(len(sequences)))
        passes = [[layer] for layer in options.layers]
    else:
        order = sorted(range(len(sequences)), key=lambda i: len(sequences[i]))
        passes = [options.layers]
        del model.model.layers[options.layers[-1] + 1:]
    encode = encode_mapped if options.structure == "tuned" else encode_with_package
    tables = []
    for layers in passes:
        activations = forward(model, sequences, order, layers, positions)
        watch.stage("forward")
        for layer in layers:
            folder = options.saes / f"resid_post_layer_{layer}" / "trainer_1"
            encoded = encode(folder, activations[layer], watch)
            tables += universal_rows(encoded, f"{options.model.name}_trainer1_layer{layer}", list(options.tokens))
            watch.stage("encode")
    pd.concat(tables).to_csv(options.output, index=False)
    watch.stage("write")
    print(json.dumps({"seconds": watch.seconds, "threads": torch.get_num_threads(),
                      "tokens": sum(map(len, sequences)), "rows": sum(map(len, tables))}))


if __name__ == "__main__":
    with torch.inference_mode():
        main()
