#!/usr/bin/env python3
"""Goldens of the forward pass: random tiny checkpoints and their float32 activations at every position.

Writes tests/goldens/tiny/<name>/: the checkpoint (Hugging Face folder, or model.gguf), prompts.json and
activations.safetensors. See tests/goldens/README.md for the layout.
"""
from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

import tiny_gguf
from common import (GOLDENS, encode, fresh_folder, layer_outputs, load_model, normal, relative_error, render, rng_of,
                    write_json, write_tensors)
from tiny_tokenizers import write_llama_tokenizer, write_qwen_tokenizer

ORIGINAL_CONTEXT = 64  # the last prompt has more tokens than the context that the RoPE scaling starts from
LAYERS = [1, 3]  # the last block is tapped too: no final norm may be applied to it
VOCABULARY = 384  # rows of the embedding, a few more than the tokenizers have tokens

PROMPTS = [
    "Hi",
    "How do you feel?",
    "  Größe 12345, naïve cafe\u0301!\n\nfin \n",
    "你好🙂 \u0645\u0631\u062d",
    "<|start_header_id|>assistant<|end_header_id|>\n\n<|im_start|>assistant\n",
    "The model reads the prompt, one token after another. It's 1999, they'll say: no\tmore quartz. Boxes of zinc vex Judge Kim.",
]

LLAMA = {"architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "hidden_act": "silu",
         "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 64, "max_position_embeddings": 512,
         "mlp_bias": False, "model_type": "llama", "num_attention_heads": 4, "num_hidden_layers": 4,
         "num_key_value_heads": 2, "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": None, "rope_theta": 10000.0,
         "tie_word_embeddings": False, "torch_dtype": "float32", "use_cache": True, "vocab_size": VOCABULARY}
QWEN = {"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "hidden_act": "silu", "hidden_size": 32,
        "initializer_range": 0.02, "intermediate_size": 64, "max_position_embeddings": 512, "max_window_layers": 4,
        "model_type": "qwen2", "num_attention_heads": 4, "num_hidden_layers": 4, "num_key_value_heads": 2,
        "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 512, "tie_word_embeddings": False,
        "torch_dtype": "float32", "use_cache": True, "use_sliding_window": False, "vocab_size": VOCABULARY}
LLAMA3_SCALING = {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                  "original_max_position_embeddings": ORIGINAL_CONTEXT, "rope_type": "llama3"}


def without(config: dict, *keys: str) -> dict:
    return {key: value for key, value in config.items() if key not in keys}


# As the hub's files are written (rope_theta, rope_scaling, torch_dtype), and, where `rope_parameters` and `dtype` stand,
# as transformers 5 writes them.
CONFIGS = {
    "llama_tied": {**LLAMA, "tie_word_embeddings": True},
    "llama_untied_rope": {**LLAMA, "head_dim": 16, "intermediate_size": 48, "rope_scaling": LLAMA3_SCALING,
                          "torch_dtype": "bfloat16"},
    "llama_bias": {**without(LLAMA, "rope_theta", "rope_scaling", "torch_dtype"), "attention_bias": True, "mlp_bias": True,
                   "tie_word_embeddings": True, "dtype": "float16", "head_dim": 8, "intermediate_size": 48, "num_key_value_heads": 1,
                   "rope_parameters": {"rope_theta": 5000.0, **LLAMA3_SCALING}},
    "llama_bf16": {**without(LLAMA, "num_key_value_heads", "rope_theta", "rope_scaling", "attention_bias", "mlp_bias",
                             "tie_word_embeddings"), "torch_dtype": "bfloat16"},
    "qwen2_bias": {**QWEN, "intermediate_size": 48, "tie_word_embeddings": True},
    "qwen2_f16": {**without(QWEN, "rope_theta", "torch_dtype"), "dtype": "float16",
                  "num_key_value_heads": 4, "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}},
}
# Stretched by YaRN, with windows that begin behind the last layer; and Mistral with a window that no prompt fills and a
# dynamic scaling that begins past its context, saved as the bare model in pickles.
CONFIGS["qwen2_yarn"] = {**QWEN, "max_position_embeddings": 128, "max_window_layers": 4, "sliding_window": 16,
                         "use_sliding_window": True, "rope_theta": 10000.0,
                         "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32, "type": "yarn"}}
CONFIGS["mistral_bare"] = {**without(LLAMA, "attention_bias", "mlp_bias", "pretraining_tp"), "model_type": "mistral",
                           "architectures": ["MistralForCausalLM"], "head_dim": 16, "sliding_window": 256,
                           "rope_scaling": {"factor": 2.0, "type": "dynamic"}}
BARE_PICKLES = {"mistral_bare"}
SHARDED = {"llama_untied_rope": "48KB"}
GGUF_VARIANTS = {  # folder -> (checkpoint, type of its matrices)
    "llama_tied_gguf": ("llama_tied", "F32"),
    "llama_tied_q8_0_gguf": ("llama_tied", "Q8_0"),
    "llama_untied_rope_gguf": ("llama_untied_rope", "BF16"),
    "qwen2_bias_gguf": ("qwen2_bias", "F16"),
}


def random_state(model, rng) -> dict[str, torch.Tensor]:
    """Weights that keep activations of the order of 1 and attention away from uniform, so that mistakes show."""
    state = {}
    for name, old in model.state_dict().items():
        if name == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        if name.endswith(".bias"):
            state[name] = normal(rng, *old.shape, scale=0.3)
        elif "norm" in name:
            state[name] = 1 + normal(rng, *old.shape, scale=0.3)
        elif "embed_tokens" in name:
            state[name] = normal(rng, *old.shape, scale=0.6)
        else:
            gain = 1.5 if ".q_proj." in name or ".k_proj." in name else 1.0
            state[name] = normal(rng, *old.shape, scale=gain * old.shape[1] ** -0.5)
    return state


def write_weights(folder: Path, state: dict[str, torch.Tensor], max_shard: str | None) -> None:
    from huggingface_hub import split_torch_state_dict_into_shards
    split = split_torch_state_dict_into_shards(state, max_shard_size=max_shard or "1GB")
    for file, names in split.filename_to_tensors.items():
        save_file({name: state[name] for name in names}, str(folder / file), metadata={"format": "pt"})
    if split.is_sharded:
        write_json(folder / "model.safetensors.index.json",
                   {"metadata": split.metadata, "weight_map": split.tensor_to_filename})


def write_bare_pickles(folder: Path, state: dict[str, torch.Tensor]) -> None:
    """Two shards of what `AutoModel` saved before there were safetensors: no `model.` in front, no head."""
    bare = {key.removeprefix("model."): value for key, value in state.items() if key != "lm_head.weight"}
    names = sorted(bare)
    weight_map = {}
    for i, part in enumerate((names[::2], names[1::2])):
        file = f"pytorch_model-0000{i + 1}-of-00002.bin"
        torch.save({key: bare[key] for key in part}, folder / file)
        weight_map.update(dict.fromkeys(part, file))
    write_json(folder / "pytorch_model.bin.index.json", {"metadata": {}, "weight_map": weight_map})


def write_checkpoint(name: str) -> Path:
    folder = fresh_folder(GOLDENS / "tiny" / name)
    config = dict(CONFIGS[name])
    llama_like = config["model_type"] != "qwen2"
    tokenizer = (write_llama_tokenizer if llama_like else write_qwen_tokenizer)(folder)
    assert tokenizer.get_vocab_size() < VOCABULARY
    bos = "<|begin_of_text|>" if llama_like else "<|endoftext|>"
    eos = "<|eot_id|>" if llama_like else "<|im_end|>"
    config.update(bos_token_id=tokenizer.token_to_id(bos), eos_token_id=tokenizer.token_to_id(eos))
    write_json(folder / "config.json", dict(sorted(config.items())))
    model = AutoModelForCausalLM.from_config(load_config(folder))
    dtype = getattr(torch, config.get("torch_dtype") or config["dtype"])
    state = {key: value.to(dtype) for key, value in random_state(model, rng_of(name)).items()}
    if name in BARE_PICKLES:
        write_bare_pickles(folder, state)
    else:
        write_weights(folder, state, SHARDED.get(name))
    return folder


def load_config(folder: Path):
    from transformers import AutoConfig
    return AutoConfig.from_pretrained(str(folder))


def write_expected(folder: Path, model, tokenizer) -> None:
    """prompts.json and activations.safetensors of one model."""
    records, tensors = [], {}
    for i, content in enumerate(PROMPTS):
        text = render(tokenizer, content)
        ids = encode(tokenizer, text)
        assert len(ids) > ORIGINAL_CONTEXT or content is not PROMPTS[-1]
        records.append({"content": content, "text": text, "ids": ids})
        for layer, output in layer_outputs(model, ids, LAYERS).items():
            tensors[f"prompt_{i}.layer_{layer}"] = output
    write_json(folder / "prompts.json", {"layers": LAYERS, "prompts": records})
    write_tensors(folder / "activations.safetensors", tensors)


def check_sensitivity(folder: Path, model, ids: list[int]) -> None:
    """Each unusual property of a checkpoint must move the activations, or the golden would prove nothing."""
    right = layer_outputs(model, ids, LAYERS)[LAYERS[-1]]
    assert 0.3 < right.std() < 30, right.std()
    wrong = load_model(folder)
    rotary = wrong.model.rotary_emb
    plain = 1.0 / wrong.config.rope_parameters["rope_theta"] ** (
        torch.arange(rotary.inv_freq.numel()) / rotary.inv_freq.numel())
    if wrong.config.rope_parameters["rope_type"] in ("llama3", "yarn"):
        rotary.inv_freq.copy_(plain)
        assert relative_error(layer_outputs(wrong, ids, LAYERS)[LAYERS[-1]], right) > 0.02
    else:
        assert torch.allclose(rotary.inv_freq, plain)
    for name, parameter in wrong.named_parameters():
        if name.startswith("model.layers.1") and name.endswith(".bias") and "k_proj" not in name:
            kept = parameter.data.clone()
            parameter.data.zero_()
            assert relative_error(layer_outputs(wrong, ids, LAYERS)[LAYERS[-1]], right) > 0.003, name
            parameter.data.copy_(kept)


def make_checkpoint(name: str) -> None:
    folder = write_checkpoint(name)
    model, tokenizer = load_model(folder), AutoTokenizer.from_pretrained(str(folder))
    plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for content in PROMPTS:  # transformers may rebuild a tokenizer: the file decides
        text = render(tokenizer, content)
        assert encode(tokenizer, text) == plain.encode(text, add_special_tokens=False).ids, (name, content)
    write_expected(folder, model, tokenizer)
    check_sensitivity(folder, model, encode(tokenizer, render(tokenizer, PROMPTS[-1])))


def make_gguf(name: str) -> None:
    source, quantization = GGUF_VARIANTS[name]
    origin, folder = GOLDENS / "tiny" / source, fresh_folder(GOLDENS / "tiny" / name)
    model, tokenizer = load_model(origin), AutoTokenizer.from_pretrained(str(origin))
    path = folder / "model.gguf"
    tiny_gguf.write_gguf(path, origin, dict(model.state_dict()), quantization)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    after = tiny_gguf.read_weights(path, origin, list(before))
    if quantization in ("F32", "BF16"):  # the BF16 one is made of a BF16 checkpoint
        assert all(torch.equal(before[key], after[key]) for key in before)
    model.load_state_dict(after)
    write_expected(folder, model, tokenizer)
    config = json.loads((origin / "config.json").read_text("utf-8"))
    if tiny_gguf.rope_factors(config) is None:  # transformers reads no rope_freqs.weight
        theirs = AutoModelForCausalLM.from_pretrained(str(folder), gguf_file="model.gguf", dtype=torch.float32,
                                                      attn_implementation="eager").eval()
        ids = encode(tokenizer, render(tokenizer, PROMPTS[-1]))
        ours = layer_outputs(model, ids, LAYERS)
        for layer, output in layer_outputs(theirs, ids, LAYERS).items():
            assert relative_error(output, ours[layer]) < 1e-5, (name, layer)


def make_split_gguf(name: str) -> None:
    """The file of a GGUF variant in parts; its expected activations are those of the whole one."""
    source, quantization = GGUF_VARIANTS[name]
    origin, folder = GOLDENS / "tiny" / source, fresh_folder(GOLDENS / "tiny" / f"{name}_split")
    model = load_model(origin)
    tiny_gguf.write_gguf(folder / "model.gguf", origin, dict(model.state_dict()), quantization, tensors_per_file=15)


def main() -> None:
    for name in CONFIGS:
        make_checkpoint(name)
    for name in GGUF_VARIANTS:
        make_gguf(name)
    make_split_gguf("llama_tied_q8_0_gguf")


if __name__ == "__main__":
    main()
