#!/usr/bin/env python3
"""Goldens of whole runs: two tiny models with two layers of SAEs each, and the files that runs must write.

Writes tests/goldens/pipeline/: config.toml, saes/, prompts/, features.csv and, for each run in runs.json, its expected
universal.csv, specific.csv (the first run's serves all) and specific_activeprompts.jsonl. The activations are transformers' in float32, the
encoding is dictionary_learning's, the aggregation is that of expected_run.py. Needs tests/goldens/tiny (make_tiny_goldens.py).
See tests/goldens/README.md.
"""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer

import expected_run
from common import GOLDENS, encode, fresh_folder, load_model, render, rng_of, write_json
from expected_run import Model, Run

ROOT = GOLDENS / "pipeline"
F = 256
LAYERS = [1, 2]
TRAINERS = ["1", "2"]
TRANSPOSED = "2"  # the trainer whose archives keep the encoder column after column
STORED_AS = {("llama", "1"): torch.float32, ("qwen", "1"): torch.float16, ("llama", "2"): torch.bfloat16,
             ("qwen", "2"): torch.bfloat16}  # by model and trainer
TWINS = (40, 41)  # equal features of llama, layer 1, trainer 1: their rows tie in the mean, the smaller id comes first

MODELS = [
    Model("llama", "llama_untied_rope",
          {"asst": ("assistant", -3), "endheader": ("<|end_header_id|>", -2), "newline": ("\n\n", -1)},
          "https://www.neuronpedia.org/llama3.1-8b-it/{layer}-resid-post-aa/{feature_id}"),
    Model("qwen", "qwen2_bias", {"asst": ("assistant", -2), "newline": ("\n", -1)},
          "https://example.org/qwen?at={layer},{feature_id}"),  # the comma makes the CSV quote it
]

RUNS = [
    Run("expected", 0.3, 0.01, "1"),
    Run("expected_strict", 0.2, 1.25, "2"),  # an activation threshold above the SAE's own
]
THRESHOLDS = [run.activation_threshold for run in RUNS]

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
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    sequences = [encode(tokenizer, render(tokenizer, prompt["content"])) for prompt in prompts()]
    model.take_taps(load_model(folder), tokenizer, sequences, LAYERS)


# ---------------------------------------------------------------------------------------------------------------
# SAEs

def sae_folder(model: Model, layer: int, trainer: str) -> Path:
    return ROOT / "saes" / model.name / f"resid_post_layer_{layer}" / f"trainer_{trainer}"


def write_sae(model: Model, layer: int, trainer: str) -> None:
    dtype, taps = STORED_AS[model.name, trainer], model.taps_of(layer)
    sae = expected_run.draw_sae(rng_of(f"{model.name}/{layer}/{trainer}"), taps, F, dtype, TWINS)
    equal_twins = (model.name, layer, trainer) == ("llama", 1, "1")
    if equal_twins:
        sae["encoder"][TWINS[1]], sae["bias"][TWINS[1]] = sae["encoder"][TWINS[0]], sae["bias"][TWINS[0]]
    expected_run.clear_sae(sae, taps, dtype, THRESHOLDS, TWINS, equal_twins)
    expected_run.save_sae(sae_folder(model, layer, trainer), sae, dtype, trainer == TRANSPOSED, layer, model.checkpoint)


# ---------------------------------------------------------------------------------------------------------------
# Expected outputs

def activations(model: Model, layer: int, trainer: str, token: str) -> np.ndarray:
    return expected_run.encode_taps(sae_folder(model, layer, trainer), model.taps[layer, token], THRESHOLDS)


def write_features() -> None:
    """features.csv with features that are active on some prompts, and one that never is."""
    def some(name: str, layer: int, trainer: str, token: str) -> int:
        model = next(m for m in MODELS if m.name == name)
        counts = (activations(model, layer, trainer, token) > 1.3).sum(0)
        return int(np.nonzero(counts >= 5)[0][0])

    text = FEATURE_ROWS.format(a=some("llama", 2, "1", "newline"), b=some("llama", 2, "2", "newline"),
                               c=some("qwen", 2, "2", "newline"), d=some("qwen", 1, "1", "newline"), dead=F - 2)
    (ROOT / "features.csv").write_text(text, "utf-8")


def write_run(run: Run) -> None:
    folder = fresh_folder(ROOT / run.name)
    table = expected_run.universal(MODELS, LAYERS, run, activations)
    wanted = expected_run.wanted_features(MODELS, ROOT / "features.csv")
    found, records = expected_run.specific(MODELS, run, prompts(), wanted, activations)
    expected_run.write_csv(folder / "universal.csv", table)
    if run is RUNS[0]:  # no threshold enters this table
        expected_run.write_csv(folder / "specific.csv", found)
    expected_run.write_lines(folder / "specific_activeprompts.jsonl", records)
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
