"""Writes what the end-to-end benchmarks read: synthetic models of published models' shapes, SAEs, prompts, configurations.

Everything is seeded and goes to a cache folder, where a later run finds it again. Real weights would take the same
time; random ones need no licence and no download.
"""
from __future__ import annotations

import csv
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

REPO = Path(__file__).resolve().parent.parent
sys.path.append(str(REPO / "tools"))
from python_stubs import stubbed_imports  # noqa: E402 (found on the path just added)

TOKENS = {"asst": -3, "endheader": -2, "newline": -1}  # from the end of the sequence, as in the built-in `llama`
PROMPTS = 140
MEAN_WORDS = 18.3

# Llama 3's headers around a system message, so that all prompts share a head of 16 tokens.
CHAT_TEMPLATE = (
    "{{ bos_token }}<|start_header_id|>system<|end_header_id|>\n\nYou are a helpful assistant.<|eot_id|>"
    "{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}")


VOCABULARY = 128256  # of the tokenizer that all of them use


@dataclass(frozen=True)
class Shape:
    """A model's matrices, and what its config.json says besides."""
    name: str
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    settings: dict = field(hash=False)
    norms: tuple[str, ...] = ("input_layernorm", "post_attention_layernorm")
    head_norms: tuple[str, ...] = ()
    norm_factor: float = 1.0  # as stored: Gemma's are those less 1
    embedding_scale: float = 1.0


LLAMA_8B = Shape("llama", 4096, 14336, 32, 8, 128, {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False, "attention_bias": False, "mlp_bias": False, "rope_theta": 500000.0,
    "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                     "original_max_position_embeddings": 8192}})
QWEN3_8B = Shape("qwen3", 4096, 12288, 32, 8, 128, {
    "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_act": "silu", "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False, "attention_bias": False, "rope_theta": 1000000.0},
    head_norms=("q_norm", "k_norm"))
GEMMA3_4B = Shape("gemma3", 2560, 10240, 8, 4, 256, {
    "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "hidden_activation": "gelu_pytorch_tanh",
    "rms_norm_eps": 1e-6, "tie_word_embeddings": False, "attention_bias": False, "query_pre_attn_scalar": 256,
    "sliding_window": 1024, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0,
    "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
    norms=("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"),
    head_norms=("q_norm", "k_norm"), norm_factor=0.0, embedding_scale=2560 ** -0.5)


@dataclass(frozen=True)
class Size:
    """The workload's extent: `full` is the one whose figures are published."""
    name: str
    layers: int  # of the model, all of which are needed
    tapped: tuple[int, int]
    features: int
    sae_threshold: float  # about one feature in a thousand fires on the synthetic residual stream


SIZES = {"full": Size("full", 16, (11, 15), 131072, 24.0), "small": Size("small", 4, (2, 3), 32768, 12.0)}
# Of the other families: four layers show what theirs cost.
FAMILY_SIZES = {"full": Size("full", 4, (2, 3), 65536, 12.0), "small": Size("small", 4, (2, 3), 32768, 12.0)}


@dataclass(frozen=True)
class Workload:
    """Where the files of one workload lie, and what a run of it needs to know."""
    name: str
    model: Path
    saes: Path
    prompts: Path
    features: Path
    config: Path
    tapped: tuple[int, ...]
    tokens: dict[str, int]


def _normal(generator: torch.Generator, *shape: int, scale: float) -> torch.Tensor:
    return torch.empty(*shape).normal_(0, scale, generator=generator)


def _layer_tensors(shape: Shape, layer: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(layer)
    prefix = f"model.layers.{layer}."
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    matrices = {
        "self_attn.q_proj": (queries, shape.hidden), "self_attn.k_proj": (keys, shape.hidden),
        "self_attn.v_proj": (keys, shape.hidden), "self_attn.o_proj": (shape.hidden, queries),
        "mlp.gate_proj": (shape.intermediate, shape.hidden), "mlp.up_proj": (shape.intermediate, shape.hidden),
        "mlp.down_proj": (shape.hidden, shape.intermediate)}
    tensors = {f"{prefix}{name}.weight": _normal(generator, *shape, scale=0.02).bfloat16()
               for name, shape in matrices.items()}
    norms = {norm: shape.hidden for norm in shape.norms}
    norms.update({f"self_attn.{norm}": shape.head_dim for norm in shape.head_norms})
    for norm, size in norms.items():
        tensors[f"{prefix}{norm}.weight"] = torch.full((size,), shape.norm_factor, dtype=torch.bfloat16)
    return tensors


def _write_checkpoint(folder: Path, shape: Shape, layers: int, tokenizer: Path) -> None:
    """A sharded checkpoint in Hugging Face layout, bfloat16, one shard for each layer."""
    folder.mkdir(parents=True)
    config = {**shape.settings, "dtype": "bfloat16", "vocab_size": VOCABULARY, "hidden_size": shape.hidden,
              "intermediate_size": shape.intermediate, "num_hidden_layers": layers, "num_attention_heads": shape.heads,
              "num_key_value_heads": shape.kv_heads, "head_dim": shape.head_dim, "max_position_embeddings": 131072,
              "bos_token_id": 128000, "eos_token_id": 128009}
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    generator = torch.Generator().manual_seed(1000)
    embedding = _normal(generator, VOCABULARY, shape.hidden, scale=shape.embedding_scale).bfloat16()
    shards = [{"model.embed_tokens.weight": embedding}]
    shards.append({"lm_head.weight": shards[0]["model.embed_tokens.weight"].clone(),
                   "model.norm.weight": torch.full((shape.hidden,), shape.norm_factor, dtype=torch.bfloat16)})
    weight_map = {}
    for number in range(layers + 2):
        tensors = shards[number] if number < 2 else _layer_tensors(shape, number - 2)
        file = f"model-{number + 1:05}-of-{layers + 2:05}.safetensors"
        save_file(tensors, folder / file, metadata={"format": "pt"})
        weight_map.update(dict.fromkeys(tensors, file))
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    shutil.copy(tokenizer / "tokenizer.json", folder)
    settings = json.loads((tokenizer / "tokenizer_config.json").read_text())
    settings["chat_template"] = CHAT_TEMPLATE
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def _write_sae(folder: Path, layer: int, hidden: int, features: int, threshold: float) -> None:
    """A BatchTopKSAE as dictionary_learning saves it: the encoder is the decoder's transpose, strided."""
    with stubbed_imports():
        from dictionary_learning.trainers.batch_top_k import BatchTopKSAE
    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(2000 + layer)
    with torch.device("meta"):
        sae = BatchTopKSAE(hidden, features, k=64)
    decoder = _normal(generator, hidden, features, scale=hidden ** -0.5)
    state = {"b_dec": torch.zeros(hidden), "k": torch.tensor(64, dtype=torch.int),
             "threshold": torch.tensor(threshold), "decoder.weight": decoder,
             "encoder.weight": decoder.clone().T, "encoder.bias": torch.zeros(features)}
    assert set(state) == set(sae.state_dict()), sae.state_dict().keys()
    torch.save(state, folder / "ae.pt")
    trainer = {"dict_class": "BatchTopKSAE", "trainer_class": "BatchTopKTrainer", "activation_dim": hidden,
               "dict_size": features, "k": 64, "layer": layer, "lm_name": "synthetic"}
    (folder / "config.json").write_text(json.dumps({"trainer": trainer}, indent=1))


def write_prompts(path: Path, count: int, mean_words: float, sigma: float, ascii_only: bool = False) -> None:
    """`count` prompts of the repository's own words: lengths are log-normal, as users' prompts are, in random order.
    ASCII words have about the same number of tokens everywhere, where a length in tokens is wanted."""
    words = []
    for file in sorted((REPO / "prompts").glob("*.jsonl")):
        words += [word for line in file.read_text().splitlines() for word in json.loads(line)["content"].split()
                  if word.isascii() or not ascii_only]
    rng = np.random.default_rng(count)
    draws = np.exp(sigma * rng.standard_normal(count))
    lengths = np.maximum(1, np.rint(draws * (mean_words * count / draws.sum()))).astype(int)
    with path.open("w") as out:
        for length in lengths:
            start = int(rng.integers(len(words)))
            picked = [words[(start + i) % len(words)] for i in range(length)]
            out.write(json.dumps({"content": " ".join(picked), "label": "synthetic"}, ensure_ascii=False) + "\n")


def write_features(path: Path, model: str, tapped: tuple[int, ...], features: int, count: int) -> None:
    """A features CSV of `count` features, shared out over the layers."""
    rng = np.random.default_rng(count)
    with path.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["feature_id", "source"])
        for layer in tapped:
            for feature in sorted(rng.choice(features, count // len(tapped), replace=False)):
                writer.writerow([feature, f"{model}_trainer1_layer{layer}"])


def write_config(path: Path, name: str, model: Path, saes: Path, tapped: tuple[int, ...], tokens: dict) -> None:
    listed = ", ".join(f"{token} = {json.dumps(place)}" for token, place in tokens.items())
    path.write_text(f"""[models.{name}]
model    = {json.dumps(str(model))}
sae_dir  = {json.dumps(str(saes))}
sae_path = "resid_post_layer_{{layer}}/trainer_{{trainer}}"
trainer  = 1
layers   = {list(tapped)}
tokens   = {{ {listed} }}
link     = ""
""")


def _once(folder: Path, write) -> Path:
    """Calls write(temporary folder) unless an earlier run finished it."""
    if not folder.exists():
        print(f"writing {folder} …", file=sys.stderr)
        partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        write(partial)
        partial.rename(folder)
    return folder


def synthetic_workload(root: Path, shape: Shape, size: Size, tokenizer: Path) -> Workload:
    """140 prompts over a model of the shape's layers and SAEs of published dictionaries' extent."""
    root.mkdir(parents=True, exist_ok=True)
    model = _once(root / "model", lambda folder: _write_checkpoint(folder, shape, size.layers, tokenizer))
    for layer in size.tapped:
        _once(root / "sae" / f"resid_post_layer_{layer}",
              lambda folder, at=layer: _write_sae(folder / "trainer_1", at, shape.hidden, size.features,
                                                  size.sae_threshold))
    workload = Workload(shape.name, model, root / "sae", root / "prompts.jsonl", root / "features.csv",
                        root / "config.toml", size.tapped, TOKENS)
    write_prompts(workload.prompts, PROMPTS, mean_words=MEAN_WORDS, sigma=1.15)
    write_features(workload.features, shape.name, size.tapped, size.features, 50)
    write_config(workload.config, shape.name, model, workload.saes, size.tapped, TOKENS)
    return workload


def _write_smollm2(folder: Path, gguf: Path) -> None:
    """SmolLM2 as a Hugging Face folder of bfloat16 safetensors, the form that both programs read fastest."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    model = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name, dtype=torch.bfloat16,
                                                 quantization_config=GgufConfig(dequantize=True))
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def smollm2_workload(cache: Path, gguf: Path) -> Workload:
    """140 prompts over SmolLM2-135M with the demo's SAEs."""
    root = cache / "smollm2"
    root.mkdir(parents=True, exist_ok=True)
    model = _once(root / "model", lambda folder: _write_smollm2(folder, gguf))
    tokens = {"asst": -2, "newline": -1}
    workload = Workload("smollm2", model, REPO / "demo" / "sae", root / "prompts.jsonl", root / "features.csv",
                        root / "config.toml", (9, 18), tokens)
    write_prompts(workload.prompts, PROMPTS, mean_words=MEAN_WORDS, sigma=1.15)
    write_features(workload.features, "smollm2", (9, 18), 2304, 50)
    write_config(workload.config, "smollm2", model, workload.saes, (9, 18), tokens)
    return workload
