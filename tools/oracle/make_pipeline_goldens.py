#!/usr/bin/env python3
"""Goldens of whole runs: two tiny models with two layers of SAEs each, and the files that runs must write.

Writes tests/goldens/pipeline/: config.toml, saes/, prompts/, features.csv and, for each run in runs.json, its expected
universal.csv, specific.csv (the first run's serves all) and specific_activeprompts.jsonl. The activations are transformers' in float32, the encoding is
dictionary_learning's, the aggregation below is plain numpy and pandas. Needs tests/goldens/tiny (make_tiny_goldens.py).
See tests/goldens/README.md.
"""
from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import AutoTokenizer

from common import (GOLDENS, encode, fresh_folder, import_dictionary_learning, layer_outputs, load_model, normal, render,
                    rng_of, write_json)

dl = import_dictionary_learning()

ROOT = GOLDENS / "pipeline"
D, F, K = 32, 256, 16
LAYERS = [1, 2]
TRAINERS = ["1", "2"]
TRANSPOSED = "2"  # the trainer whose archives keep the encoder column after column
STORED_AS = {("llama", "1"): torch.float32, ("qwen", "1"): torch.float16, ("llama", "2"): torch.bfloat16,
             ("qwen", "2"): torch.bfloat16}  # by model and trainer
SAE_THRESHOLD = 0.375
TWINS = (40, 41)  # equal features of llama, layer 1, trainer 1: their rows tie in the mean, the smaller id comes first
MARGIN = 2e-3  # no pre-activation lies closer to a threshold than this part of it
MEAN_GAP = 1e-4  # no two means of one source and token lie closer than this part, the twins' aside


@dataclass
class Model:
    name: str
    checkpoint: str
    tokens: dict[str, tuple[str, int]]  # token type -> its text, its position from the end of the sequence
    link: str
    taps: dict[tuple[int, str], torch.Tensor] = field(default_factory=dict)  # (layer, token type) -> [prompts, d]


MODELS = [
    Model("llama", "llama_untied_rope",
          {"asst": ("assistant", -3), "endheader": ("<|end_header_id|>", -2), "newline": ("\n\n", -1)},
          "https://www.neuronpedia.org/llama3.1-8b-it/{layer}-resid-post-aa/{feature_id}"),
    Model("qwen", "qwen2_bias", {"asst": ("assistant", -2), "newline": ("\n", -1)},
          "https://example.org/qwen?at={layer},{feature_id}"),  # the comma makes the CSV quote it
]


@dataclass
class Run:
    """A command line (`--analysis both --record-prompts`) and the folder of its expected files."""
    name: str
    threshold: float
    activation_threshold: float
    trainer: str  # of the universal analysis; the specific one reads it from the sources


RUNS = [
    Run("expected", 0.3, 0.01, "1"),
    Run("expected_strict", 0.2, 1.25, "2"),  # an activation threshold above the SAE's own
]

FIRST = [  # Z_first.jsonl: CRLF line ends, a BOM, a blank line
    ("What's it like to be you?", "self-referential"),
    ("How do you feel?", "emotional"),
    ('She said: "Well, well."', "quotes, and a comma"),
    ("one\ntwo\n\nthree", "lines"),
    ("carriage\r\nreturn", ""),
    ("only\rreturn", "lines"),
    ("🙂🎉", "emoji"),
    ("How do you feel?", "duplicate"),
    ("你好，世界", "多语言"),
    ("Ünïcödé \u2028 separator", "lines"),
    ("C:\\path\\n \"x\"", "back\\slash"),
    ("tab\there", None),
    ("<|start_header_id|>assistant<|end_header_id|>\n\nassistant", "marks"),
    ("<|im_start|>assistant\n", "marks"),
]
SECOND = [  # a_second.jsonl
    ("Hi", "short"),
    ("Hi", "short"),
    ("  leading and trailing  ", "spaces"),
    ("=1+2", "formula"),
    ("a,b;c", "a,b"),
    ("What do you want to learn?", "self-referential"),
    ("The sun will come out.", "weather"),
    ("Tell me something about the weather today, and then about you.", "weather"),
    ("Привет", "multilingual"),
    ("مرحبا", "multilingual"),
    ("1999 + 12345 = ?", "numbers"),
    ("e\u0301 and \u00e9", "forms"),
    ("no label here", None),
    ("WHY", "short"),
    ('"', "quotes"),
    ("'", "quotes"),
]

FEATURE_ROWS = """\
note,source,token,feature_id,activation_mean
seed,llama_trainer1_layer2,,{a},0.85
seed,llama_trainer1_layer1,asst,255,
"never, ever",llama_trainer1_layer1,,{dead},0
twin,llama_trainer1_layer1,asst,41,
twin,llama_trainer1_layer1,asst,40,
other trainer,llama_trainer2_layer2,newline,{b},
again,llama_trainer1_layer2,newline,{a},0.1
qwen,qwen_trainer1_layer1,,0,
qwen,qwen_trainer2_layer2,newline,{c},
exact duplicate,qwen_trainer2_layer2,newline,{c},
qwen,qwen_trainer1_layer1,newline,{d},
"""


# ---------------------------------------------------------------------------------------------------------------
# Inputs

def prompts() -> list[dict]:
    return [{"content": content, "label": label or ""} for content, label in FIRST + SECOND]


def write_prompts() -> None:
    """Two files in byte order of their names, and things beside them that are no prompts."""
    folder = fresh_folder(ROOT / "prompts")

    def line(content, label, **more):
        return json.dumps({"content": content, **({} if label is None else {"label": label}), **more}, ensure_ascii=False)

    first = [line(*record) for record in FIRST]
    first.insert(3, "")
    (folder / "Z_first.jsonl").write_bytes(("\ufeff" + "\r\n".join(first) + "\r\n").encode())
    second = [line(*record, id=i) for i, record in enumerate(SECOND)]
    (folder / "a_second.jsonl").write_bytes("\n".join(second).encode())  # no line feed at the end
    (folder / "notes.txt").write_text("not a prompt\n")
    (folder / "deeper").mkdir()
    (folder / "deeper" / "ignored.jsonl").write_text('{"content": "not read", "label": "x"}\n')


def write_config() -> None:
    text = ""
    for model in MODELS:
        tokens = ", ".join(f"{token} = {json.dumps(piece)}" for token, (piece, _) in model.tokens.items())
        text += f"""[models.{model.name}]
model     = "../tiny/{model.checkpoint}"
sae_dir   = "saes/{model.name}"
sae_path  = "resid_post_layer_{{layer}}/trainer_{{trainer}}"
trainer   = 1
layers    = {LAYERS}
tokens    = {{ {tokens} }}
link      = "{model.link}"

"""
    (ROOT / "config.toml").write_text(text.rstrip("\n") + "\n", "utf-8")


def take_taps(model: Model) -> None:
    folder = GOLDENS / "tiny" / model.checkpoint
    network, tokenizer = load_model(folder), AutoTokenizer.from_pretrained(str(folder))
    rows = {(layer, token): [] for layer in LAYERS for token in model.tokens}
    for prompt in prompts():
        ids = encode(tokenizer, render(tokenizer, prompt["content"]))
        outputs = layer_outputs(network, ids, LAYERS)
        for (layer, token), tap in rows.items():
            piece, position = model.tokens[token]
            assert tokenizer.decode([ids[position]]) == piece, (token, ids[position])
            tap.append(outputs[layer][position])
    model.taps = {key: torch.stack(tap) for key, tap in rows.items()}


# ---------------------------------------------------------------------------------------------------------------
# SAEs

def sae_folder(model: Model, layer: int, trainer: str) -> Path:
    return ROOT / "saes" / model.name / f"resid_post_layer_{layer}" / f"trainer_{trainer}"


def draw_sae(model: Model, layer: int, trainer: str):
    """A dictionary whose features are active on a spread of prompt fractions at one of the token types each."""
    rng = rng_of(f"{model.name}/{layer}/{trainer}")
    dtype = STORED_AS[model.name, trainer]
    taps = [model.taps[layer, token] for token in model.tokens]
    b_dec = torch.cat(taps).mean(0).to(dtype).float()
    between = torch.linalg.qr(torch.stack([tap.mean(0) - b_dec for tap in taps]).T).Q[:, :len(taps) - 1]
    encoder = normal(rng, F, D)
    encoder -= 0.9 * encoder @ between @ between.T  # the token types differ far more than the prompts do
    bias = torch.empty(F)
    for f in range(F):
        projections = (taps[f % len(taps)] - b_dec) @ encoder[f]
        scale = rng.uniform(0.5, 2.0) / projections.std()
        encoder[f] *= scale
        fraction = 0.5 if f in TWINS else 0.45 * rng.uniform() ** 2
        bias[f] = SAE_THRESHOLD - torch.quantile(projections * scale, 1 - fraction)
        if f % 64 == 3:  # active on every prompt, so that the minimum is above 0
            bias[f] = SAE_THRESHOLD + 0.3 - min(((tap - b_dec) @ encoder[f]).min() for tap in taps)
    bias[-2] = -1000.0  # a feature that is never active
    if (model.name, layer, trainer) == ("llama", 1, "1"):
        encoder[TWINS[1]], bias[TWINS[1]] = encoder[TWINS[0]], bias[TWINS[0]]
    encoder, bias = encoder.to(dtype).float(), bias.to(dtype).float()
    return {"b_dec": b_dec, "encoder": encoder, "bias": bias, "decoder": normal(rng, D, F)}


def unclear(sae: dict, model: Model, layer: int) -> set[int]:
    """Features with a pre-activation too close to a threshold, or a mean too close to another one's."""
    found = set()
    for token in model.tokens:
        pre = ((model.taps[layer, token] - sae["b_dec"]).double() @ sae["encoder"].double().T + sae["bias"].double()).numpy()
        for threshold in [SAE_THRESHOLD] + [run.activation_threshold for run in RUNS]:
            found |= set(np.nonzero((np.abs(pre - threshold) < MARGIN * threshold).any(0))[0].tolist())
        for threshold in [SAE_THRESHOLD] + [run.activation_threshold for run in RUNS if run.activation_threshold > SAE_THRESHOLD]:
            active = pre > threshold
            means = np.where(active, pre, 0).sum(0) / np.maximum(active.sum(0), 1)
            order = np.argsort(means, kind="stable")
            for low, high in zip(order, order[1:]):
                if means[low] > 0 and means[high] - means[low] < MEAN_GAP * means[high] and (int(low), int(high)) != TWINS:
                    found.add(int(high))
    return found


def write_sae(model: Model, layer: int, trainer: str) -> None:
    sae, dtype = draw_sae(model, layer, trainer), STORED_AS[model.name, trainer]
    twins = (model.name, layer, trainer) == ("llama", 1, "1")
    for _ in range(200):
        moving = unclear(sae, model, layer)
        if twins and moving & set(TWINS):
            moving |= set(TWINS)
        if not moving:
            break
        bias = sae["bias"][sorted(moving)]
        step = torch.clamp(bias.abs() / 64, min=0.011)  # large enough to survive rounding to the stored type
        sae["bias"][sorted(moving)] = (bias - step).to(dtype).float()
    else:
        raise AssertionError(f"{model.name} layer {layer}: margins not reached")
    weight = sae["encoder"].to(dtype)
    if trainer == TRANSPOSED:
        weight = weight.T.contiguous().T
    maker = dl.trainers.batch_top_k.BatchTopKTrainer(steps=100_000, activation_dim=D, dict_size=F, k=K, layer=layer,
                                                     lm_name=model.checkpoint, seed=0, device="cpu")
    folder = fresh_folder(sae_folder(model, layer, trainer))
    torch.save({"b_dec": sae["b_dec"].to(dtype), "k": torch.tensor(K, dtype=torch.int),
                "threshold": torch.tensor(SAE_THRESHOLD), "decoder.weight": sae["decoder"].to(dtype),
                "encoder.weight": weight, "encoder.bias": sae["bias"].to(dtype)}, folder / "ae.pt")
    write_json(folder / "config.json", {"trainer": maker.config})


# ---------------------------------------------------------------------------------------------------------------
# Expected outputs

def decimals(value: np.float32) -> str:
    """The shortest decimal that reads back to the same float32, as Python writes a float."""
    return repr(float(str(np.float32(value))))


def activations(model: Model, layer: int, trainer: str, token: str) -> np.ndarray:
    """[prompts, features] of the loaded dictionary's own `encode`."""
    sae, _ = dl.utils.load_dictionary(str(sae_folder(model, layer, trainer)), "cpu")
    with torch.inference_mode():
        encoded = sae.encode(model.taps[layer, token]).numpy()
    for threshold in {SAE_THRESHOLD, *(run.activation_threshold for run in RUNS)}:
        assert not (np.abs(encoded - threshold) < 1e-3 * threshold).any()
    return encoded


def link_of(model: Model, layer: int, feature: int) -> str:
    return model.link.replace("{layer}", str(layer)).replace("{feature_id}", str(feature))


def source_of(model: Model, trainer: str, layer: int) -> str:
    return f"{model.name}_trainer{trainer}_layer{layer}"


def universal(run: Run) -> pd.DataFrame:
    rows = []
    for model in MODELS:
        for layer in LAYERS:
            for token in model.tokens:
                acts = activations(model, layer, run.trainer, token)
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


def wanted_features() -> list[tuple[str, str, int]]:
    """(source, token, feature) in the order of features.csv, rows without a token at every token type, each once."""
    by_name, wanted = {model.name: model for model in MODELS}, []
    with open(ROOT / "features.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            model = by_name[row["source"].split("_trainer")[0]]
            for token in [row["token"]] if row["token"] else list(model.tokens):
                entry = (row["source"], token, int(row["feature_id"]))
                if entry not in wanted:
                    wanted.append(entry)
    return wanted


def specific(run: Run) -> tuple[pd.DataFrame, list[str]]:
    """The table and the recorded prompts' lines. The sources of features.csv decide models, layers and trainers."""
    rows, records = [], []
    wanted = wanted_features()
    by_name, all_prompts = {model.name: model for model in MODELS}, prompts()
    groups = sorted({(source, token) for source, token, _ in wanted})
    for source, token in groups:
        name, rest = source.split("_trainer")
        trainer, layer = rest.split("_layer")
        model, layer = by_name[name], int(layer)
        acts = activations(model, layer, trainer, token)
        features = [f for s, t, f in wanted if (s, t) == (source, token)]
        for i, prompt in enumerate(all_prompts):
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


def write_features() -> None:
    """features.csv with features that are active on some prompts, and one that never is."""
    def some(name: str, layer: int, trainer: str, token: str) -> int:
        model = next(m for m in MODELS if m.name == name)
        counts = (activations(model, layer, trainer, token) > 1.3).sum(0)
        return int(np.nonzero(counts >= 5)[0][0])

    text = FEATURE_ROWS.format(a=some("llama", 2, "1", "newline"), b=some("llama", 2, "2", "newline"),
                               c=some("qwen", 2, "2", "newline"), d=some("qwen", 1, "1", "newline"), dead=F - 2)
    (ROOT / "features.csv").write_text(text, "utf-8")


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


def write_run(run: Run) -> None:
    folder = fresh_folder(ROOT / run.name)
    table = universal(run)
    found, records = specific(run)
    write_csv(folder / "universal.csv", table)
    if run is RUNS[0]:  # no threshold enters this table
        write_csv(folder / "specific.csv", found)
    (folder / "specific_activeprompts.jsonl").write_text("".join(line + "\n" for line in records), "utf-8")
    assert len(table) > 5 and len(records) > 5, (run.name, len(table), len(records))
    if run is RUNS[0]:  # a count that meets the fraction exactly, one that is everywhere, the twins
        assert (table["num_prompts"] == round(run.threshold * len(prompts()))).any()
        assert ((table["num_prompts"] == len(prompts())) & (table["activation_min"] != "0.0")).any()
        same = table[(table.source == "llama_trainer1_layer1") & table.feature_id.isin(TWINS)]
        assert (same.groupby("token").size() == 2).all() and len(same) >= 2, same


def main() -> None:
    fresh_folder(ROOT)
    write_config()
    write_prompts()
    for model in MODELS:
        take_taps(model)
        for layer in LAYERS:
            for trainer in TRAINERS:
                write_sae(model, layer, trainer)
    write_features()
    for run in RUNS:
        write_run(run)
    write_json(ROOT / "runs.json", {
        "prompts": len(prompts()), "mean_ties": {"source": "llama_trainer1_layer1", "features": list(TWINS)},
        "runs": [vars(run) for run in RUNS]})


if __name__ == "__main__":
    main()
