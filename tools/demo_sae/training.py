"""Training of one layer's dictionary with dictionary_learning, and saving in its format."""
from __future__ import annotations

import json
import time
from pathlib import Path
from typing import NamedTuple

import torch

from python_stubs import stubbed_imports

from .activations import Activations, below, outlier_limit
from .measurement import variance_explained
from .selection import MAX_TOKENS

with stubbed_imports():
    from dictionary_learning.trainers.batch_top_k import BatchTopKSAE, BatchTopKTrainer

LM_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"


class Schedule(NamedTuple):
    """Steps at which the warm-up ends, the learning rate's decay begins and the threshold's running mean begins."""
    warmup: int
    decay: int
    threshold_start: int


def schedule(steps: int) -> Schedule:
    return Schedule(steps // 20, steps * 6 // 10, steps * 7 // 10)


class TrainingRows:
    """One layer's training activations: all kept positions of the training chats, the two read positions of the
    generation prompt `copies` times, and the head's positions so often that they make up `head_share` of the rows."""

    def __init__(self, activations: Activations, layer: int, train_chats: list[int], is_prompt: list[bool], copies: int,
                 head_share: float):
        self.x = activations.rows[layer]  # [tokens, d_model]
        self.limit = outlier_limit(self.x)
        self.keep = self.x.norm(dim=1) <= self.limit
        read = torch.tensor([activations.offsets[i + 1] - 2 + d for i in train_chats if is_prompt[i] for d in (0, 1)])
        index = torch.cat([activations.positions(train_chats)] + [read] * (copies - 1))
        self.index = index[self.keep[index]]
        self.head = below(activations.head_rows[layer][1:], self.limit)
        self.n_head = int(head_share / (1 - head_share) * len(self.index))
        self.norm_factor = float(self.x[self.index].pow(2).sum(dim=1).mean().sqrt())

    def batches(self, size: int, seed: int):
        """Endless shuffled passes over the rows, [size, d_model] each; a value past len(index) is a head row."""
        generator = torch.Generator().manual_seed(seed)
        head_index = torch.arange(self.n_head) % len(self.head)
        while True:
            order = torch.randperm(len(self.index) + self.n_head, generator=generator)
            for part in order.split(size)[:-1]:
                own = part < len(self.index)
                yield torch.cat([self.x[self.index[part[own]]], self.head[head_index[part[~own] - len(self.index)]]])


def train(rows: TrainingRows, layer: int, args) -> BatchTopKTrainer:
    """A trained dictionary of activations divided by `rows.norm_factor`; `args` are the command's."""
    sample, factor, steps = next(rows.batches(args.batch, args.seed)), rows.norm_factor, schedule(args.steps)
    trainer = BatchTopKTrainer(
        steps=args.steps, activation_dim=rows.x.shape[1], dict_size=args.features, k=args.k, layer=layer, lm_name=LM_NAME,
        lr=args.lr, warmup_steps=steps.warmup, decay_start=steps.decay, threshold_beta=0.98,
        threshold_start_step=steps.threshold_start, seed=args.seed, device="cpu",
        wandb_name=f"BatchTopKSAE_{LM_NAME}_resid_post_layer_{layer}", submodule_name=f"resid_post_layer_{layer}")
    trainer.dead_feature_threshold = args.dead_after
    stream, started = rows.batches(args.batch, args.seed + layer), time.time()
    for step in range(args.steps):
        loss = trainer.update(step, next(stream) / factor)
        if step % 100 == 0 or step == args.steps - 1:
            with torch.no_grad():
                hat = trainer.ae.decode(trainer.ae.encode(sample / factor, use_threshold=False)) * factor
            print(f"  layer {layer} step {step}: loss {loss:.4f}, variance explained {variance_explained(sample, hat):.4f}, "
                  f"dead {trainer.dead_features}, {time.time() - started:.0f} s", flush=True)
    return trainer


def save(trainer: BatchTopKTrainer, norm_factor: float, n_chats: int, batch: int, folder: Path) -> BatchTopKSAE:
    """Undoes the normalisation, writes `ae.pt` (weights and biases in bfloat16) and `config.json` as dictionary_learning
    does, and returns the dictionary read back from what was written."""
    ae = trainer.ae
    ae.scale_biases(norm_factor)
    state = {name: (v if name in ("k", "threshold") else v.to(torch.bfloat16)).cpu() for name, v in ae.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / "ae.pt")
    config = {"trainer": {**trainer.config, "norm_factor": norm_factor},
              "buffer": {"d_submodule": ae.activation_dim, "io": "out", "n_ctxs": n_chats, "ctx_len": MAX_TOKENS,
                         "refresh_batch_size": n_chats, "out_batch_size": batch, "device": "cpu"}}
    (folder / "config.json").write_text(json.dumps(config, indent=4) + "\n")
    return BatchTopKSAE.from_pretrained(folder / "ae.pt", k=trainer.config["k"], device="cpu")
