"""What a run must write, by plain numpy and pandas, and SAEs whose features keep clear of the run's thresholds.

A model's taps are transformers' float32 activations at its token types; encoding is dictionary_learning's own. Scripts
that make goldens of whole runs bring models, prompts and folders of their own.
"""
from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from common import fresh_folder, import_dictionary_learning, layer_outputs, normal, write_json

dl = import_dictionary_learning()

K = 16
SAE_THRESHOLD = 0.375
MARGIN = 2e-3  # no pre-activation lies closer to a threshold than this part of it
MEAN_GAP = 1e-4  # no two means of one source and token lie closer than this part, the twins' aside


@dataclass
class Model:
    name: str
    checkpoint: str
    tokens: dict[str, tuple[str, int]]  # token type -> its text, its position from the end of the sequence
    link: str
    taps: dict[tuple[int, str], torch.Tensor] = field(default_factory=dict)  # (layer, token type) -> [prompts, d]

    def take_taps(self, network, tokenizer, sequences: list[list[int]], layers: list[int]) -> None:
        """Fills `taps` for the prompts' token ids."""
        rows = {(layer, token): [] for layer in layers for token in self.tokens}
        for ids in sequences:
            outputs = layer_outputs(network, ids, layers)
            for (layer, token), tap in rows.items():
                piece, position = self.tokens[token]
                assert tokenizer.decode([ids[position]]) == piece, (token, ids[position])
                tap.append(outputs[layer][position])
        self.taps = {key: torch.stack(tap) for key, tap in rows.items()}

    def taps_of(self, layer: int) -> list[torch.Tensor]:
        """[prompts, d] for each token type."""
        return [self.taps[layer, token] for token in self.tokens]


@dataclass
class Run:
    """A command line (`--analysis both --record-prompts`) and the folder of its expected files."""
    name: str
    threshold: float
    activation_threshold: float
    trainer: str  # of the universal analysis; the specific one reads it from the sources


Encoded = Callable[[Model, int, str, str], np.ndarray]  # model, layer, trainer, token type -> [prompts, features]


# ---------------------------------------------------------------------------------------------------------------
# SAEs

def draw_sae(rng: np.random.Generator, taps: list[torch.Tensor], features: int, dtype: torch.dtype,
             twins: tuple[int, ...] = ()) -> dict[str, torch.Tensor]:
    """A dictionary whose features are active on a spread of prompt fractions at one of the token types each.

    Weights are float32 numbers that `dtype` holds. The last feature but one is never active; `twins` are active on half
    of the prompts.
    """
    d = taps[0].shape[1]
    b_dec = torch.cat(taps).mean(0).to(dtype).float()
    between = torch.linalg.qr(torch.stack([tap.mean(0) - b_dec for tap in taps]).T).Q[:, :len(taps) - 1]
    encoder = normal(rng, features, d)
    encoder -= 0.9 * encoder @ between @ between.T  # the token types differ far more than the prompts do
    bias = torch.empty(features)
    for f in range(features):
        projections = (taps[f % len(taps)] - b_dec) @ encoder[f]
        scale = rng.uniform(0.5, 2.0) / projections.std()
        encoder[f] *= scale
        fraction = 0.5 if f in twins else 0.45 * rng.uniform() ** 2
        bias[f] = SAE_THRESHOLD - torch.quantile(projections * scale, 1 - fraction)
        if f % 64 == 3:  # active on every prompt, so that the minimum is above 0
            bias[f] = SAE_THRESHOLD + 0.3 - min(((tap - b_dec) @ encoder[f]).min() for tap in taps)
    bias[-2] = -1000.0
    encoder, bias = encoder.to(dtype).float(), bias.to(dtype).float()
    return {"b_dec": b_dec, "encoder": encoder, "bias": bias, "decoder": normal(rng, d, features)}


def unclear(sae: dict, taps: list[torch.Tensor], thresholds: list[float], twins: tuple[int, ...]) -> set[int]:
    """Features with a pre-activation too close to a threshold, or a mean too close to another one's."""
    found = set()
    for tap in taps:
        pre = ((tap - sae["b_dec"]).double() @ sae["encoder"].double().T + sae["bias"].double()).numpy()
        for threshold in [SAE_THRESHOLD, *thresholds]:
            found |= set(np.nonzero((np.abs(pre - threshold) < MARGIN * threshold).any(0))[0].tolist())
        for threshold in [SAE_THRESHOLD, *(t for t in thresholds if t > SAE_THRESHOLD)]:
            active = pre > threshold
            means = np.where(active, pre, 0).sum(0) / np.maximum(active.sum(0), 1)
            order = np.argsort(means, kind="stable")
            for low, high in zip(order, order[1:]):
                if means[low] > 0 and means[high] - means[low] < MEAN_GAP * means[high] and (int(low), int(high)) != twins:
                    found.add(int(high))
    return found


def clear_sae(sae: dict, taps: list[torch.Tensor], dtype: torch.dtype, thresholds: list[float],
              twins: tuple[int, ...] = (), equal_twins: bool = False) -> None:
    """Lowers biases until no feature is unclear; equal twins move together."""
    for _ in range(200):
        moving = unclear(sae, taps, thresholds, twins)
        if equal_twins and moving & set(twins):
            moving |= set(twins)
        if not moving:
            return
        bias = sae["bias"][sorted(moving)]
        step = torch.clamp(bias.abs() / 64, min=0.011)  # large enough to survive rounding to the stored type
        sae["bias"][sorted(moving)] = (bias - step).to(dtype).float()
    raise AssertionError("margins not reached")


def save_sae(folder: Path, sae: dict, dtype: torch.dtype, transposed: bool, layer: int, lm_name: str) -> None:
    """ae.pt and config.json as BatchTopKTrainer's runs save them; transposed: the encoder column after column."""
    weight = sae["encoder"].to(dtype)
    if transposed:
        weight = weight.T.contiguous().T
    features, d = weight.shape
    maker = dl.trainers.batch_top_k.BatchTopKTrainer(steps=100_000, activation_dim=d, dict_size=features, k=K, layer=layer,
                                                     lm_name=lm_name, seed=0, device="cpu")
    fresh_folder(folder)
    torch.save({"b_dec": sae["b_dec"].to(dtype), "k": torch.tensor(K, dtype=torch.int),
                "threshold": torch.tensor(SAE_THRESHOLD), "decoder.weight": sae["decoder"].to(dtype),
                "encoder.weight": weight, "encoder.bias": sae["bias"].to(dtype)}, folder / "ae.pt")
    write_json(folder / "config.json", {"trainer": maker.config})


def encode_taps(folder: Path, taps: torch.Tensor, thresholds: list[float]) -> np.ndarray:
    """[prompts, features] of the saved dictionary's own `encode`, checked to keep clear of the thresholds."""
    sae, _ = dl.utils.load_dictionary(str(folder), "cpu")
    with torch.inference_mode():
        encoded = sae.encode(taps).numpy()
    for threshold in {SAE_THRESHOLD, *thresholds}:
        assert not (np.abs(encoded - threshold) < 1e-3 * threshold).any()
    return encoded


# ---------------------------------------------------------------------------------------------------------------
# Tables

def decimals(value: np.float32) -> str:
    """The shortest decimal that reads back to the same float32, as Python writes a float."""
    return repr(float(str(np.float32(value))))


def link_of(model: Model, layer: int, feature: int) -> str:
    return model.link.replace("{layer}", str(layer)).replace("{feature_id}", str(feature))


def source_of(model: Model, trainer: str, layer: int) -> str:
    return f"{model.name}_trainer{trainer}_layer{layer}"


def universal(models: list[Model], layers: list[int], run: Run, encoded: Encoded) -> pd.DataFrame:
    rows = []
    for model in models:
        for layer in layers:
            for token in model.tokens:
                acts = encoded(model, layer, run.trainer, token)
                active = acts > np.float32(run.activation_threshold)
                counts = active.sum(0)
                for f in np.nonzero((counts >= 1) & (counts / len(acts) >= run.threshold))[0]:
                    mean = np.float32(acts[active[:, f], f].astype(np.float64).sum() / counts[f])
                    rows.append({"feature_id": int(f), "activation_mean": mean, "activation_max": acts[:, f].max(),
                                 "activation_min": acts[:, f].min(), "num_prompts": int(counts[f]), "chat_desc": "",
                                 "pt_desc": "", "type": "", "source": source_of(model, run.trainer, layer),
                                 "token": token, "link": link_of(model, layer, int(f))})
    table = pd.DataFrame(rows).sort_values(["source", "token", "activation_mean", "feature_id"],
                                           ascending=[True, True, False, True], kind="stable")
    for column in ("activation_mean", "activation_max", "activation_min"):
        table[column] = table[column].map(decimals)
    return table


def wanted_features(models: list[Model], features_csv: Path) -> list[tuple[str, str, int]]:
    """(source, token, feature) in the order of the file, rows without a token at every token type, each once."""
    by_name, wanted = {model.name: model for model in models}, []
    with open(features_csv, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            model = by_name[row["source"].split("_trainer")[0]]
            for token in [row["token"]] if row.get("token") else list(model.tokens):
                entry = (row["source"], token, int(row["feature_id"]))
                if entry not in wanted:
                    wanted.append(entry)
    return wanted


def specific(models: list[Model], run: Run, prompts: list[dict], wanted: list[tuple[str, str, int]],
             encoded: Encoded) -> tuple[pd.DataFrame, list[str]]:
    """The table and the recorded prompts' lines. The wanted sources decide models, layers and trainers."""
    rows, records = [], []
    by_name = {model.name: model for model in models}
    groups = sorted({(source, token) for source, token, _ in wanted})
    for source, token in groups:
        name, rest = source.split("_trainer")
        trainer, layer = rest.split("_layer")
        model, layer = by_name[name], int(layer)
        acts = encoded(model, layer, trainer, token)
        features = [f for s, t, f in wanted if (s, t) == (source, token)]
        for i, prompt in enumerate(prompts):
            for f in features:
                value = acts[i, f]
                rows.append({"prompt_idx": i, "prompt": prompt["content"], "label": prompt["label"], "feature_id": f,
                             "activation": decimals(value), "source": source, "token": token,
                             "link": link_of(model, layer, f)})
                if value > 0 and value >= np.float32(run.activation_threshold):
                    records.append(json.dumps({
                        "model": name, "layer": layer, "feature_id": f, "prompt": prompt["content"],
                        "label": prompt["label"], "activation": float(decimals(value)), "token_type": token},
                        ensure_ascii=False))
    return pd.DataFrame(rows), records


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """pandas' default quoting, with a lone carriage return quoted too: csv before Python 3.13 leaves it bare, and then
    pandas itself reads the row back in two pieces."""
    def quoted(value) -> str:
        text = str(value)
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n\r') else text

    lines = [",".join(map(quoted, row)) + "\n" for row in [table.columns, *table.itertuples(index=False)]]
    path.write_bytes("".join(lines).encode())
    plain = table[~table.apply(lambda row: any("\r" in str(value) for value in row), axis=1)]
    kept = [line for line in lines if "\r" not in line]
    assert plain.to_csv(index=False, lineterminator="\n") == "".join(kept)
    back = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert (back.to_numpy() == table.astype(str).to_numpy()).all()


def write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(line + "\n" for line in lines), "utf-8")
