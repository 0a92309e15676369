#!/usr/bin/env python3
"""Goldens of the Python script's "Complete Pipeline" on the two published models, tiny and in their repositories' exact layout.

    make_hub_goldens.py TOKENIZERS        (the folder of tools/fetch_tokenizers.sh)

Writes tests/goldens/hub/: the small files of four hub repositories, custom_prompts.jsonl, existing_features.csv, expected/
and checkpoints.json. Vocabularies, and so embeddings, have their real sizes: the weights are too large to commit and come
from a formula over their names (`filled`), which tests/published_models.cc repeats; checkpoints.json lists every shard's
tensors (name, shape, exponent) and its SHA-256. See tests/goldens/README.md.
"""
from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoTokenizer

import expected_run
from common import GOLDENS, encode, fresh_folder, load_model, render, rng_of, write_json
from expected_run import Model, Run

ROOT = GOLDENS / "hub"
LAYERS = [11, 15]
FEATURES = 256
BLOCKS = 18  # two more than are needed
RUN = Run("expected", 0.2, 0.01, "1")  # the script's --threshold, its default activation threshold and trainer
THRESHOLDS = [RUN.activation_threshold]

LLAMA = {"architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 128000,
         "eos_token_id": [128001, 128008, 128009], "hidden_act": "silu", "hidden_size": 32, "initializer_range": 0.02,
         "intermediate_size": 112, "max_position_embeddings": 131072, "mlp_bias": False, "model_type": "llama",
         "num_attention_heads": 8, "num_hidden_layers": BLOCKS, "num_key_value_heads": 2, "pretraining_tp": 1,
         "rms_norm_eps": 1e-05,
         "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                          "original_max_position_embeddings": 8192, "rope_type": "llama3"},
         "rope_theta": 500000.0, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
         "transformers_version": "4.42.3", "use_cache": True, "vocab_size": 128256}
QWEN = {"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643, "eos_token_id": 151645,
        "hidden_act": "silu", "hidden_size": 28, "initializer_range": 0.02, "intermediate_size": 148,
        "max_position_embeddings": 32768, "max_window_layers": BLOCKS, "model_type": "qwen2", "num_attention_heads": 7,
        "num_hidden_layers": BLOCKS, "num_key_value_heads": 1, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
        "sliding_window": 131072, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
        "transformers_version": "4.43.1", "use_cache": True, "use_sliding_window": False, "vocab_size": 152064}


@dataclass
class Published:
    """A model's repository and its SAEs'."""
    model: Model  # its checkpoint is the repository's id
    sae_repo: str
    config: dict
    generation_config: dict
    shard_ends: list[str]  # the last tensor of each shard but the last one
    tokenizer_files: dict[str, str]  # file of the repository -> file below TOKENIZERS
    fixed_date: bool  # its template writes a date of its own where the file's asks for today's


PUBLISHED = [
    Published(
        Model("llama", "meta-llama/Llama-3.1-8B-Instruct",
              {"asst": ("assistant", -3), "endheader": ("<|end_header_id|>", -2), "newline": ("\n\n", -1)},
              "https://www.neuronpedia.org/llama3.1-8b-it/{layer}-resid-post-aa/{feature_id}"),
        "andyrdt/saes-llama-3.1-8b-instruct", LLAMA,
        {"bos_token_id": 128000, "do_sample": True, "eos_token_id": [128001, 128008, 128009], "temperature": 0.6,
         "top_p": 0.9, "transformers_version": "4.42.3"},
        # The second shard ends inside block 16, so that nobody needs the third and the fourth.
        ["model.layers.6.mlp.gate_proj.weight", "model.layers.16.mlp.up_proj.weight", "model.layers.17.mlp.up_proj.weight"],
        {"tokenizer.json": "llama3_1/tokenizer.json", "tokenizer_config.json": "llama3_2/tokenizer_config.json"}, True),
    Published(
        Model("qwen", "Qwen/Qwen2.5-7B-Instruct", {"asst": ("assistant", -2), "newline": ("\n", -1)},
              "https://www.neuronpedia.org/qwen2.5-7b-it/{layer}-resid-post-aa/{feature_id}"),
        "andyrdt/saes-qwen2.5-7b-instruct", QWEN,
        {"bos_token_id": 151643, "pad_token_id": 151643, "do_sample": True, "eos_token_id": [151645, 151643],
         "repetition_penalty": 1.05, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "transformers_version": "4.37.0"},
        # The third shard begins inside block 15, whose end is needed; only the fourth is left alone.
        ["model.layers.7.self_attn.v_proj.bias", "model.layers.15.mlp.gate_proj.weight", "model.norm.weight"],
        {"tokenizer.json": "qwen2_5/tokenizer.json", "tokenizer_config.json": "qwen2_5/tokenizer_config.json"}, False),
]
MODELS = [published.model for published in PUBLISHED]
# The two templates differ here: Llama 3.2 asks for today's date, Llama 3.1 always writes 26 Jul 2024.
ASKS_FOR_DATE, ASKS_NOT = "strftime_now is defined", "false"

PROMPTS = [
    ("What's it like to be you?", "self-referential"),
    ("How do you feel?", "emotional"),
    ("Do you remember our last talk?", "self-referential"),
    ("Name three rivers in Europe.", "trivia"),
    ("Write \"hello, world\" in C.", "code, short"),
    ("one\ntwo\n\nthree", "lines"),
    ("Was fühlst du gerade?", "multilingual"),
    ("你喜欢音乐吗？", "multilingual"),
    ("Что ты думаешь о море?", "multilingual"),
    ("🙂🎉 party!", "emoji"),
    ("1999 + 12345 = ?", "numbers"),
    ("<|start_header_id|>assistant<|end_header_id|>\n\n", "marks"),
    ("<|im_start|>assistant\n", "marks"),
    ("Are you afraid of being switched off?", "emotional"),
    ("Summarise: cats sleep a lot.", ""),
    ("Is 91 a prime number?", "numbers"),
    ("Tell me a joke about compilers.", "humour"),
    ("  spaces  around  ", "spaces"),
    ("What would you change about yourself?", "self-referential"),
    ("Translate 'good night' into Latin.", "trivia"),
]


# ---------------------------------------------------------------------------------------------------------------
# Checkpoints

def tensor_shapes(config: dict) -> dict[str, list[int]]:
    """Every tensor in the order of the published files: [out, in] or [size]."""
    d, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    kv = d // config["num_attention_heads"] * config["num_key_value_heads"]
    shapes = {"model.embed_tokens.weight": [vocabulary, d]}
    for block in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{block}."
        for name, rows in (("q", d), ("k", kv), ("v", kv)):
            shapes[f"{prefix}self_attn.{name}_proj.weight"] = [rows, d]
            if config["model_type"] == "qwen2":
                shapes[f"{prefix}self_attn.{name}_proj.bias"] = [rows]
        shapes[prefix + "self_attn.o_proj.weight"] = [d, d]
        shapes[prefix + "mlp.gate_proj.weight"] = [inner, d]
        shapes[prefix + "mlp.up_proj.weight"] = [inner, d]
        shapes[prefix + "mlp.down_proj.weight"] = [d, inner]
        shapes[prefix + "input_layernorm.weight"] = [d]
        shapes[prefix + "post_attention_layernorm.weight"] = [d]
    return {**shapes, "model.norm.weight": [d], "lm_head.weight": [vocabulary, d]}


EXPONENTS = {"embed_tokens": 0, ".v_proj.": -1, ".o_proj.": -1, ".down_proj.": -4}


def exponent_of(name: str) -> int | None:
    """Values of a tensor lie in (-2^e, 2^e); those of a norm in [1, 2).

    Attention moves much from token to token, for the token types' own ids are the same in every prompt, and the MLPs add
    little: 16 blocks of equal parts amplify rounding until no two programs agree.
    """
    if "norm" in name:
        return None
    return next((exponent for part, exponent in EXPONENTS.items() if part in name), -2)


def filled(name: str, shape: list[int], exponent: int | None) -> np.ndarray:
    """The tensor's BF16 bits: 8 bits of splitmix64, seeded with FNV-1a of the name, as a number that BF16 holds exactly."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, np.prod(shape) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    byte = (z >> np.uint64(56)).astype(np.float32)
    value = 1 + np.floor(byte / 2) / 128 if exponent is None else (2 * byte - 255) * np.float32(2.0) ** (exponent - 8)
    bits = value.astype(np.float32).view(np.uint32)
    assert not (bits & 0xFFFF).any()
    return (bits >> 16).astype("<u2")


def shard_bytes(tensors: dict[str, dict]) -> bytes:
    header, body, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, tensor in tensors.items():
        body.append(filled(name, tensor["shape"], tensor["exponent"]).tobytes())
        header[name] = {"dtype": "BF16", "shape": tensor["shape"], "data_offsets": [offset, offset + len(body[-1])]}
        offset += len(body[-1])
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(body)


def shards_of(published: Published) -> dict[str, dict[str, dict]]:
    """File -> tensor -> shape and exponent."""
    count = len(published.shard_ends) + 1
    shards, number = {}, 1
    for name, shape in tensor_shapes(published.config).items():
        file = f"model-{number:05}-of-{count:05}.safetensors"
        shards.setdefault(file, {})[name] = {"shape": shape, "exponent": exponent_of(name)}
        number += name in published.shard_ends
    assert len(shards) == count
    return shards


def write_checkpoint(published: Published, work: Path) -> dict:
    """The repository's small files, and in `work` the whole checkpoint. @return its entry of checkpoints.json"""
    folder = ROOT / published.model.checkpoint
    folder.mkdir(parents=True)
    write_json(folder / "config.json", published.config)
    write_json(folder / "generation_config.json", published.generation_config)
    shards = shards_of(published)
    shutil.copytree(folder, work, dirs_exist_ok=True)
    weight_map = {name: file for file, tensors in shards.items() for name in tensors}
    size = sum(2 * int(np.prod(tensor["shape"])) for tensors in shards.values() for tensor in tensors.values())
    write_json(work / "model.safetensors.index.json",
               {"metadata": {"total_size": size}, "weight_map": dict(sorted(weight_map.items()))})
    entry = {"tokenizer_files": published.tokenizer_files, "fixed_date": published.fixed_date, "shards": {}}
    for file, tensors in shards.items():
        content = shard_bytes(tensors)
        (work / file).write_bytes(content)
        entry["shards"][file] = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "tensors": [[name, tensor["shape"], tensor["exponent"]] for name, tensor in tensors.items()]}
    return entry


def write_checkpoints(entries: dict) -> None:
    """checkpoints.json with one line for each tensor."""
    tensor = r'\[\s+("[\w.]+"),\s+\[([\d,\s]+)\],\s+(null|-?\d+)\s+\]'
    text = re.sub(tensor, lambda m: f"[{m[1]}, [{', '.join(re.findall(r'[0-9]+', m[2]))}], {m[3]}]",
                  json.dumps(entries, indent=1))
    assert json.loads(text) == entries
    (ROOT / "checkpoints.json").write_text(text + "\n", "utf-8")


def copy_tokenizer(published: Published, tokenizers: Path, work: Path) -> None:
    for file, source in published.tokenizer_files.items():
        text = (tokenizers / source).read_text("utf-8")
        if published.fixed_date and file == "tokenizer_config.json":
            assert ASKS_FOR_DATE in text
            text = text.replace(ASKS_FOR_DATE, ASKS_NOT)
        (work / file).write_text(text, "utf-8")


def take_taps(published: Published, work: Path) -> None:
    tokenizer, plain = AutoTokenizer.from_pretrained(str(work)), Tokenizer.from_file(str(work / "tokenizer.json"))
    sequences = []
    for content, _ in PROMPTS:
        text = render(tokenizer, content)
        ids = encode(tokenizer, text)
        assert ids == plain.encode(text, add_special_tokens=False).ids, content  # transformers may rebuild a tokenizer
        sequences.append(ids)
    network = load_model(work)
    published.model.take_taps(network, tokenizer, sequences, LAYERS)
    spread = [tap.std().item() for tap in published.model.taps.values()]
    assert 0.3 < min(spread) and max(spread) < 100, spread


# ---------------------------------------------------------------------------------------------------------------
# SAEs and expected outputs

def sae_folder(model: Model, layer: int, trainer: str) -> Path:
    repo = next(published.sae_repo for published in PUBLISHED if published.model is model)
    return ROOT / repo / f"resid_post_layer_{layer}" / f"trainer_{trainer}"


def write_sae(model: Model, layer: int) -> None:
    """BF16 with the encoder stored column after column, as the published ones are."""
    taps = model.taps_of(layer)
    sae = expected_run.draw_sae(rng_of(f"hub/{model.name}/{layer}"), taps, FEATURES, torch.bfloat16)
    expected_run.clear_sae(sae, taps, torch.bfloat16, THRESHOLDS)
    expected_run.save_sae(sae_folder(model, layer, RUN.trainer), sae, torch.bfloat16, True, layer, model.checkpoint)


def activations(model: Model, layer: int, trainer: str, token: str) -> np.ndarray:
    return expected_run.encode_taps(sae_folder(model, layer, trainer), model.taps[layer, token], THRESHOLDS)


def write_features() -> None:
    """existing_features.csv with the script's columns: of each source a feature for two token types, and one that is dead."""
    lines = ["feature_id,source,activation_mean,num_prompts"]
    for layer in reversed(LAYERS):
        for model in MODELS:
            source = expected_run.source_of(model, RUN.trainer, layer)
            for token in ("asst", "newline"):
                acts = activations(model, layer, RUN.trainer, token)
                counts = (acts > 0).sum(0)
                feature = int(np.nonzero((counts >= 5) & (counts <= 12))[0][0])
                lines.append(f"{feature},{source},{acts[acts[:, feature] > 0, feature].mean():.2f},{counts[feature]}")
    lines.append(f"{FEATURES - 2},{expected_run.source_of(MODELS[0], RUN.trainer, LAYERS[0])},0.0,0")
    expected_run.write_lines(ROOT / "existing_features.csv", lines)


def write_expected() -> None:
    folder = fresh_folder(ROOT / RUN.name)
    prompts = [{"content": content, "label": label} for content, label in PROMPTS]
    expected_run.write_lines(ROOT / "custom_prompts.jsonl", [json.dumps(prompt, ensure_ascii=False) for prompt in prompts])
    table = expected_run.universal(MODELS, LAYERS, RUN, activations)
    wanted = expected_run.wanted_features(MODELS, ROOT / "existing_features.csv")
    found, records = expected_run.specific(MODELS, RUN, prompts, wanted, activations)
    expected_run.write_csv(folder / "universal_features.csv", table)
    expected_run.write_csv(folder / "specific_activations.csv", found)
    expected_run.write_lines(folder / "specific_activations_activeprompts.jsonl", records)
    combinations = {(model.name, layer, token) for model in MODELS for layer in LAYERS for token in model.tokens}
    assert len(combinations) == 10
    assert len(table.groupby(["source", "token"])) == len(found.groupby(["source", "token"])) == 10
    seen = {(record["model"], record["layer"], record["token_type"]) for record in map(json.loads, records)}
    assert seen == combinations
    assert (table["num_prompts"] == round(RUN.threshold * len(PROMPTS))).any()  # meets the fraction exactly


def main() -> None:
    tokenizers = Path(sys.argv[1])
    fresh_folder(ROOT)
    entries = {}
    for published in PUBLISHED:
        with tempfile.TemporaryDirectory() as name:
            entries[published.model.checkpoint] = write_checkpoint(published, Path(name))
            copy_tokenizer(published, tokenizers, Path(name))
            take_taps(published, Path(name))
        for layer in LAYERS:
            write_sae(published.model, layer)
    write_checkpoints(entries)
    write_features()
    write_expected()


if __name__ == "__main__":
    main()
