#!/usr/bin/env python3
"""Goldens of the forward pass: random tiny checkpoints and their float32 activations at every position.

Writes tests/goldens/tiny/<name>/: the checkpoint (Hugging Face folder, or model.gguf), prompts.json and
activations.safetensors. See tests/goldens/README.md for the layout.
"""
from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

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
GEMMA = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
         "query_pre_attn_scalar": 16, "hidden_activation": "gelu_pytorch_tanh", "attention_bias": False,
         "max_position_embeddings": 512, "rms_norm_eps": 1e-06, "sliding_window": 16, "tie_word_embeddings": True,
         "torch_dtype": "bfloat16", "vocab_size": VOCABULARY}
GEMMA3_SCALES = {"rope_theta": 1000000.0, "rope_local_base_freq": 10000.0,
                 "rope_scaling": {"factor": 8.0, "rope_type": "linear"}}
# Families whose layers differ: windows that every prompt is longer than, norms of heads, caps. In bfloat16 as they are
# published, so that transformers' error in that type is the activations'.
CONFIGS["mistral_window"] = {**without(LLAMA, "attention_bias", "mlp_bias", "pretraining_tp"), "model_type": "mistral",
                             "architectures": ["MistralForCausalLM"], "head_dim": 16, "sliding_window": 12,
                             "torch_dtype": "bfloat16"}
CONFIGS["qwen3"] = {**without(QWEN, "rope_theta"), "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"],
                    "attention_bias": False, "head_dim": 16, "intermediate_size": 48, "tie_word_embeddings": True,
                    "rope_theta": 10000.0, "torch_dtype": "bfloat16"}
CONFIGS["qwen3_window"] = {**CONFIGS["qwen3"], "attention_bias": True, "use_sliding_window": True, "sliding_window": 20,
                           "max_window_layers": 1}
CONFIGS["gemma2"] = {**GEMMA, "model_type": "gemma2", "architectures": ["Gemma2ForCausalLM"], "num_hidden_layers": 4,
                     "attn_logit_softcapping": 4.0, "final_logit_softcapping": 30.0, "rope_theta": 10000.0}
CONFIGS["gemma3_text"] = {**GEMMA, **GEMMA3_SCALES, "intermediate_size": 64, "model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"],
                          "num_hidden_layers": 7}
CONFIGS["gemma3_wrapper"] = {**GEMMA, **GEMMA3_SCALES, "model_type": "gemma3_text", "num_hidden_layers": 4,
                             "query_pre_attn_scalar": 24, "sliding_window_pattern": 2}
WRAPPED = {"gemma3_wrapper"}  # as Gemma3ForConditionalGeneration writes a language model beside a vision model
TAPPED = {"gemma3_text": [4, 6]}  # its sixth layer is the only one without a window
# What must show in the activations of each, or the golden would prove nothing.
SENSITIVE = {
    "mistral_window": [{"sliding_window": None}, {"sliding_window": 13}],
    "qwen3": [],
    "qwen3_window": [{"sliding_window": 21}, {"max_window_layers": 2}],
    "gemma2": [{"sliding_window": 17}, {"attn_logit_softcapping": None}, {"query_pre_attn_scalar": 24},
               {"hidden_activation": "silu"}],
    "gemma3_text": [{"sliding_window": 17}, {"rope_scaling": None}, {"rope_local_base_freq": 20000.0},
                    {"sliding_window_pattern": 7}],
    "gemma3_wrapper": [{"sliding_window": 17}, {"query_pre_attn_scalar": 16}, {"sliding_window_pattern": 3}],
}
BARE_PICKLES = {"mistral_bare"}
SHARDED = {"llama_untied_rope": "48KB"}
GGUF_VARIANTS = {  # folder -> (checkpoint, type of its matrices)
    "llama_tied_gguf": ("llama_tied", "F32"),
    "llama_tied_q8_0_gguf": ("llama_tied", "Q8_0"),
    "llama_untied_rope_gguf": ("llama_untied_rope", "BF16"),
    "qwen2_bias_gguf": ("qwen2_bias", "F16"),
    "qwen3_gguf": ("qwen3", "F32"),
    "gemma2_gguf": ("gemma2", "F32"),
    "gemma3_gguf": ("gemma3_text", "Q8_0"),
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
            factor = 0 if model.config.model_type.startswith("gemma") else 1  # Gemma's norms add the 1
            state[name] = factor + normal(rng, *old.shape, scale=0.3)
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
    llama_like = not config["model_type"].startswith("qwen")
    tokenizer = (write_llama_tokenizer if llama_like else write_qwen_tokenizer)(folder)
    assert tokenizer.get_vocab_size() < VOCABULARY
    bos = "<|begin_of_text|>" if llama_like else "<|endoftext|>"
    eos = "<|eot_id|>" if llama_like else "<|im_end|>"
    config.update(bos_token_id=tokenizer.token_to_id(bos), eos_token_id=tokenizer.token_to_id(eos))
    write_json(folder / "config.json", dict(sorted(config.items())))
    model = AutoModelForCausalLM.from_config(load_config(folder)).eval()
    dtype = getattr(torch, config.get("torch_dtype") or config["dtype"])
    state = {key: value.to(dtype) for key, value in random_state(model, rng_of(name)).items()}
    if name in WRAPPED:
        wrap(folder, config, state)
    elif name in BARE_PICKLES:
        write_bare_pickles(folder, state)
    else:
        write_weights(folder, state, SHARDED.get(name))
    return folder


def wrap(folder: Path, config: dict, state: dict[str, torch.Tensor]) -> None:
    """A language model as it lies beside a vision model, of which only the configuration is written."""
    vision = {"hidden_size": 16, "image_size": 14, "intermediate_size": 16, "model_type": "siglip_vision_model",
              "num_attention_heads": 2, "num_hidden_layers": 1, "patch_size": 14}
    tokens = {key: config.pop(key) for key in ("bos_token_id", "eos_token_id")}
    write_json(folder / "config.json", {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
                                        "mm_tokens_per_image": 1, "text_config": dict(sorted(config.items())),
                                        "torch_dtype": config["torch_dtype"], "vision_config": vision, **tokens})
    write_weights(folder, {f"language_model.{key}": value for key, value in state.items()}, None)


def load_config(folder: Path):
    from transformers import AutoConfig
    return AutoConfig.from_pretrained(str(folder))


def bf16_errors(model, sequences: list[list[int]], expected: dict[str, torch.Tensor], layers: list[int]) -> dict:
    """What transformers' own bfloat16 is off by, at each layer over every position."""
    model = model.to(torch.bfloat16)
    found = [layer_outputs(model, ids, layers) for ids in sequences]
    model.to(torch.float32)
    return {str(layer): relative_error(torch.cat([outputs[layer] for outputs in found]),
                                       torch.cat([expected[f"prompt_{i}.layer_{layer}"] for i in range(len(found))]))
            for layer in layers}


def write_expected(folder: Path, model, tokenizer, layers: list[int] = LAYERS, bf16: bool = False) -> None:
    """prompts.json and activations.safetensors of one model. @param bf16 also transformers' error in bfloat16"""
    records, tensors = [], {}
    for i, content in enumerate(PROMPTS):
        text = render(tokenizer, content)
        ids = encode(tokenizer, text)
        assert len(ids) > ORIGINAL_CONTEXT or content is not PROMPTS[-1]
        records.append({"content": content, "text": text, "ids": ids})
        for layer, output in layer_outputs(model, ids, layers).items():
            tensors[f"prompt_{i}.layer_{layer}"] = output
    golden = {"layers": layers, "prompts": records}
    if bf16:
        golden["bf16_error"] = bf16_errors(model, [record["ids"] for record in records], tensors, layers)
    write_json(folder / "prompts.json", golden)
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


def check_settings(name: str, folder: Path, right: torch.Tensor, ids: list[int]) -> None:
    """Every setting of a family must move the activations of the last tapped layer."""
    assert 0.1 < right.std() < 100, right.std()
    layers = TAPPED.get(name, LAYERS)
    text = json.loads((folder / "config.json").read_text("utf-8"))
    text = text.get("text_config", text)
    state = {key.removeprefix("language_model."): value for key, value in
             load_file(folder / "model.safetensors").items()}
    for change in SENSITIVE[name]:
        config = AutoConfig.for_model(**{**text, **change})
        wrong = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
        wrong.load_state_dict({key: value.float() for key, value in state.items()}, strict=False)
        error = relative_error(layer_outputs(wrong, ids, layers)[layers[-1]], right)
        assert error > 0.001, (name, change, error)


def make_checkpoint(name: str) -> None:
    folder = write_checkpoint(name)
    model, tokenizer = load_model(folder), AutoTokenizer.from_pretrained(str(folder))
    plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for content in PROMPTS:  # transformers may rebuild a tokenizer: the file decides
        text = render(tokenizer, content)
        assert encode(tokenizer, text) == plain.encode(text, add_special_tokens=False).ids, (name, content)
    ids = encode(tokenizer, render(tokenizer, PROMPTS[-1]))
    if name in SENSITIVE:
        layers = TAPPED.get(name, LAYERS)
        check_settings(name, folder, layer_outputs(model, ids, layers)[layers[-1]], ids)
        write_expected(folder, model, tokenizer, layers, bf16=True)
    else:
        write_expected(folder, model, tokenizer)
        check_sensitivity(folder, model, ids)


def make_gguf(name: str) -> None:
    source, quantization = GGUF_VARIANTS[name]
    origin, folder = GOLDENS / "tiny" / source, fresh_folder(GOLDENS / "tiny" / name)
    model, tokenizer = load_model(origin), AutoTokenizer.from_pretrained(str(origin))
    path = folder / "model.gguf"
    tiny_gguf.write_gguf(path, origin, dict(model.state_dict()), quantization)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    after = tiny_gguf.read_weights(path, origin, list(before))
    if quantization in ("F32", "BF16"):  # the BF16 one is made of a BF16 checkpoint
        assert all(torch.allclose(before[key], after[key], rtol=0, atol=2e-7) for key in before)
    model.load_state_dict(after)
    layers = TAPPED.get(source, LAYERS)
    write_expected(folder, model, tokenizer, layers)
    config = json.loads((origin / "config.json").read_text("utf-8"))
    if config["model_type"] in ("llama", "qwen2") and tiny_gguf.rope_factors(config) is None:
        # Of the others transformers does not read everything: rope_freqs.weight, Gemma 2's cap and scale, Gemma 3's RoPE
        # scaling, Qwen3's head_dim.
        theirs = AutoModelForCausalLM.from_pretrained(str(folder), gguf_file="model.gguf", dtype=torch.float32,
                                                      attn_implementation="eager").eval()
        ids = encode(tokenizer, render(tokenizer, PROMPTS[-1]))
        ours = layer_outputs(model, ids, layers)
        for layer, output in layer_outputs(theirs, ids, layers).items():
            assert relative_error(output, ours[layer]) < 1e-5, (name, layer)


def make_split_gguf(name: str) -> None:
    """The file of a GGUF variant in parts; its expected activations are those of the whole one."""
    source, quantization = GGUF_VARIANTS[name]
    origin, folder = GOLDENS / "tiny" / source, fresh_folder(GOLDENS / "tiny" / f"{name}_split")
    model = load_model(origin)
    tiny_gguf.write_gguf(folder / "model.gguf", origin, dict(model.state_dict()), quantization, tensors_per_file=15)


def main(names: list[str]) -> None:
    """All of them, or those that are named."""
    for name in CONFIGS:
        if not names or name in names:
            make_checkpoint(name)
    for name in GGUF_VARIANTS:
        if not names or name in names:
            make_gguf(name)
    if not names:
        make_split_gguf("llama_tied_q8_0_gguf")


if __name__ == "__main__":
    main(sys.argv[1:])
