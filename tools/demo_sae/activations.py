"""The model's residual stream: loading, forward pass, activations of the training text and of the held-out prompts."""
from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

OUTLIER_FACTOR = 10.0  # norms above this many medians are outliers


def outlier_limit(rows: torch.Tensor) -> float:
    """The largest norm that is kept, from a layer's activations [tokens, d_model] without position 0."""
    return OUTLIER_FACTOR * float(rows.norm(dim=1).median())


def below(rows: torch.Tensor, limit: float) -> torch.Tensor:
    return rows[rows.norm(dim=1) <= limit]


class Reader:
    """The model up to the highest layer wanted, giving the residual stream after `layers`."""

    def __init__(self, gguf: Path, layers: list[int]):
        self.layers = layers
        model = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32)
        self.tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
        self.d_model = model.config.hidden_size
        self.body = model.model.eval()
        self.body.layers = self.body.layers[:max(layers) + 1]  # nothing above is needed
        self.taps: dict[int, object] = {}
        for layer in layers:
            self.body.layers[layer].register_forward_hook(
                lambda module, args, output, layer=layer:
                self.taps.__setitem__(layer, output[0] if isinstance(output, tuple) else output))

    def render(self, message: str, answer: str | None = None) -> str:
        turns = [{"role": "user", "content": message}]
        if answer is not None:
            turns.append({"role": "assistant", "content": answer})
        return self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=answer is None)

    def ids(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, add_special_tokens=False).input_ids

    def __call__(self, ids, past=None):
        """ids [batch, time] -> {layer: [batch, time, d_model]}; `past` is an attention cache of a common head."""
        with torch.inference_mode():
            out = self.body(input_ids=ids, past_key_values=past, use_cache=past is not None)
        del out
        return dict(self.taps)

    def head_cache(self, head: list[int]):
        with torch.inference_mode():
            cache = DynamicCache()
            self.body(input_ids=torch.tensor([head]), past_key_values=cache, use_cache=True)
            return cache, {layer: tap[0].clone() for layer, tap in self.taps.items()}


@dataclass
class Activations:
    rows: dict[int, torch.Tensor]  # layer -> [tokens, d_model], the sequences without their head one after the other
    head_rows: dict[int, torch.Tensor]  # layer -> [head tokens, d_model]
    offsets: list[int]  # sequence i's rows are offsets[i] to offsets[i + 1]

    def positions(self, sequences: list[int]) -> torch.Tensor:
        """The row numbers of these sequences."""
        return torch.cat([torch.arange(self.offsets[i], self.offsets[i + 1]) for i in sequences])


def compute_activations(reader: Reader, sequences: list[list[int]], head: list[int], batch_tokens: int) -> Activations:
    """The activations after the head of every sequence, in the sequences' order, and of the head itself.
    Rows of similar length are batched (right padding, which a causal model cannot see)."""
    cache, head_rows = reader.head_cache(head)
    tails = [s[len(head):] for s in sequences]
    offsets = [0]
    for tail in tails:
        offsets.append(offsets[-1] + len(tail))
    rows = {layer: torch.empty(offsets[-1], reader.d_model) for layer in reader.layers}
    order, start, done, began = sorted(range(len(tails)), key=lambda i: (len(tails[i]), i)), 0, 0, time.time()
    last_print = began
    while start < len(order):
        # as many sequences as fit in batch_tokens at the longest one's length
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * len(tails[order[stop]]) <= batch_tokens:
            stop += 1
        batch = order[start:stop]
        width = len(tails[batch[-1]])
        ids = torch.zeros(len(batch), width, dtype=torch.long)
        for row, index in enumerate(batch):
            ids[row, :len(tails[index])] = torch.tensor(tails[index])
        past = copy.deepcopy(cache)
        past.batch_repeat_interleave(len(batch))
        taps = reader(ids, past)
        for layer, tap in taps.items():
            for row, index in enumerate(batch):
                rows[layer][offsets[index]:offsets[index + 1]] = tap[row, :len(tails[index])]
        done, start = done + sum(len(tails[i]) for i in batch), stop
        if time.time() - last_print > 20:
            last_print = time.time()
            print(f"  activations {done:,}/{offsets[-1]:,} tokens, {done / (last_print - began):.0f} tokens/s", flush=True)
    return Activations(rows, head_rows, offsets)


def cached_activations(reader: Reader, sequences: list[list[int]], head: list[int], cache: Path | None) -> tuple[Activations, float]:
    """The activations, from the file `cache` if it exists (else written there), and the seconds that the file saved."""
    if cache and cache.exists():
        saved = torch.load(cache)
        assert saved["ids"] == sequences, "the cache belongs to another text"
        return Activations(saved["rows"], saved["head_rows"], saved["offsets"]), saved["seconds"]
    began = time.time()
    found = compute_activations(reader, sequences, head, batch_tokens=4096)
    if cache:
        torch.save({"seconds": time.time() - began, "ids": sequences, "rows": found.rows, "head_rows": found.head_rows,
                    "offsets": found.offsets}, cache)
    return found, 0.0


def whole_activations(reader: Reader, sequences: list[list[int]]) -> dict[int, list[torch.Tensor]]:
    """Of whole sequences (no cached head), one by one: layer -> [tokens, d_model] for each."""
    found = {layer: [] for layer in reader.layers}
    for sequence in sequences:
        for layer, tap in reader(torch.tensor([sequence])).items():
            found[layer].append(tap[0].clone())
    return found
