"""Measures of a saved dictionary: variance explained, features active per token, dead features, firing per prompt."""
from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from .activations import OUTLIER_FACTOR, below


def variance_explained(x: torch.Tensor, x_hat: torch.Tensor) -> float:
    """1 - residual variance / variance, summed over dimensions (as dictionary_learning logs it)."""
    return float(1 - (x - x_hat).var(dim=0).sum() / x.var(dim=0).sum())


def measure(ae, x: torch.Tensor) -> dict:
    with torch.inference_mode():
        features = torch.cat([ae.encode(part) for part in x.split(8192)])
        x_hat = torch.cat([ae.decode(part) for part in features.split(8192)])
    fires = (features > 0).sum(dim=0)
    return {"tokens": len(x), "variance_explained": variance_explained(x, x_hat),
            "l0": float((features > 0).sum(dim=1).float().mean()), "dead": int((fires == 0).sum())}


def spread(features: torch.Tensor, threshold: float = 0.01) -> dict:
    """Of one token position per prompt [prompts, F]: how many features fire on how many prompts."""
    count, prompts = (features > threshold).sum(dim=0), len(features)
    share = {f">={p}%": int((count * 100 >= p * prompts).sum()) for p in (30, 60, 90, 100)}
    return {"any": int((count > 0).sum()), "<10%": int(((count > 0) & (count * 10 < prompts)).sum()), **share,
            "l0": float((features > threshold).sum(dim=1).float().mean())}


def dead_features(ae, rows, seed: int) -> tuple[int, int]:
    """Features without an activation on a sample of the training positions (head not included), and the sample's size."""
    shuffled = torch.randperm(len(rows.index), generator=torch.Generator().manual_seed(seed))
    sampled = rows.index[shuffled[:200_000]]
    with torch.inference_mode():
        fires = sum((ae.encode(rows.x[part]) > 0).sum(dim=0) for part in sampled.split(8192))
    return int((fires == 0).sum()), len(sampled)


def measure_layer(ae, file: Path, rows, unseen: torch.Tensor, head_rows: torch.Tensor, held: list[torch.Tensor], seed: int) -> dict:
    """All figures of the dictionary `ae`, read from `file`. `rows`: the layer's TrainingRows; `unseen`: numbers of the rows kept
    out of training; `head_rows` [head tokens, d_model]; `held`: [tokens, d_model] of each held-out prompt, whole."""
    whole = torch.cat([a[1:] for a in held])
    whole_kept = below(whole, rows.limit)
    after_head = below(torch.cat([a[len(head_rows):] for a in held]), rows.limit)
    read = {name: torch.stack([a[at] for a in held]) for name, at in (("asst", -2), ("newline", -1))}  # [prompts, d_model]
    with torch.inference_mode():
        spreads = {name: spread(ae.encode(x)) for name, x in read.items()}
    dead, dead_sample = dead_features(ae, rows, seed)
    return {
        "held": measure(ae, whole_kept), "tail": measure(ae, after_head), "unseen": measure(ae, rows.x[unseen[rows.keep[unseen]]]),
        "read_ve": {name: measure(ae, x)["variance_explained"] for name, x in read.items()},
        "dead": dead, "dead_sample": dead_sample, "limit": rows.limit, "median": rows.limit / OUTLIER_FACTOR,
        "outliers": int((~rows.keep).sum()), "held_outliers": len(whole) - len(whole_kept), "norm_factor": rows.norm_factor,
        "position0": float(head_rows[0].norm()), "threshold": float(ae.threshold), "spread": spreads,
        "sha": hashlib.sha256(file.read_bytes()).hexdigest(), "size": file.stat().st_size}
