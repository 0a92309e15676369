"""GGUF files of the tiny checkpoints, with the metadata, names and layouts of llama.cpp's convert_hf_to_gguf."""
from __future__ import annotations

import json
import math
from pathlib import Path

import gguf
import numpy as np
import torch
from tokenizers import Tokenizer

ARCHITECTURES = {"gemma2": gguf.MODEL_ARCH.GEMMA2, "gemma3_text": gguf.MODEL_ARCH.GEMMA3, "llama": gguf.MODEL_ARCH.LLAMA,
                 "qwen2": gguf.MODEL_ARCH.QWEN2, "qwen3": gguf.MODEL_ARCH.QWEN3}
PRE_TOKENIZERS = {"gemma2": "llama-bpe", "gemma3_text": "llama-bpe", "llama": "llama-bpe", "qwen2": "qwen2", "qwen3": "qwen2"}


def permute(weights: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a Q or K projection from halves (rotate_half) to neighbouring pairs, as GGUF's llama stores them."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def unpermute(weights: np.ndarray, heads: int) -> np.ndarray:
    return weights.reshape(heads, weights.shape[0] // heads // 2, 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def permuted_heads(config: dict, name: str) -> int | None:
    """Head count of a tensor that is permuted, None for the others. Qwen2 keeps the halves."""
    if config["model_type"] != "llama":
        return None
    if ".q_proj." in name:
        return config["num_attention_heads"]
    return config["num_key_value_heads"] if ".k_proj." in name else None


def norm_offset(config: dict, name: str) -> np.float32:
    """What Gemma's converters add to the factors of norms."""
    return np.float32(config["model_type"].startswith("gemma") and name.endswith("norm.weight"))


def rope_factors(config: dict) -> np.ndarray | None:
    """The divisors of the rotation frequencies that `llama3` scaling means, [head_dim / 2]."""
    scaling = config.get("rope_scaling")
    if not scaling or scaling["rope_type"] != "llama3":
        return None
    half = config["head_dim"] // 2
    low_wavelength = scaling["original_max_position_embeddings"] / scaling["low_freq_factor"]
    high_wavelength = scaling["original_max_position_embeddings"] / scaling["high_freq_factor"]
    factors = []
    for i in range(half):
        wavelength = 2 * math.pi * config["rope_theta"] ** (i / half)
        if wavelength < high_wavelength:
            factors.append(1.0)
        elif wavelength > low_wavelength:
            factors.append(scaling["factor"])
        else:
            smooth = (scaling["original_max_position_embeddings"] / wavelength - scaling["low_freq_factor"]) / (
                scaling["high_freq_factor"] - scaling["low_freq_factor"])
            factors.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
    return np.array(factors, dtype=np.float32)


def _add_parameters(writer: gguf.GGUFWriter, config: dict, file_type: gguf.LlamaFileType) -> None:
    writer.add_type("model")
    writer.add_name("tiny " + config["model_type"])
    writer.add_size_label("60K")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    if "head_dim" in config:
        writer.add_key_length(config["head_dim"])
        writer.add_value_length(config["head_dim"])
    writer.add_file_type(file_type)
    if config["model_type"].startswith("gemma"):
        writer.add_sliding_window(config["sliding_window"])
    if "attn_logit_softcapping" in config:
        writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    if (config.get("rope_scaling") or {}).get("rope_type") == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(config["rope_scaling"]["factor"])
    if config["model_type"] == "llama":
        writer.add_vocab_size(config["vocab_size"])
        writer.add_rope_dimension_count(config.get("head_dim", config["hidden_size"] // config["num_attention_heads"]))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _add_vocabulary(writer: gguf.GGUFWriter, folder: Path, config: dict) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    added = tokenizer.get_added_tokens_decoder()
    tokens, kinds = [], []
    for i in range(config["vocab_size"]):
        token = tokenizer.id_to_token(i)
        if token is None:  # the embedding has more rows than the tokenizer has tokens
            tokens.append(f"[PAD{i}]")
            kinds.append(gguf.TokenType.UNUSED)
        elif i in added:
            tokens.append(token)
            kinds.append(gguf.TokenType.CONTROL if added[i].special else gguf.TokenType.USER_DEFINED)
        else:
            tokens.append(token)
            kinds.append(gguf.TokenType.NORMAL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE_TOKENIZERS[config["model_type"]])
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    gguf.SpecialVocab(folder, load_merges=True).add_to_gguf(writer, quiet=True)


def write_gguf(path: Path, folder: Path, state: dict[str, torch.Tensor], quantization: str,
               tensors_per_file: int = 0) -> None:
    """The checkpoint of `folder` (its config and tokenizer) with the float32 weights `state`.

    With `tensors_per_file` the result is a split file, as gguf's own writer names and marks its parts."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    architecture = ARCHITECTURES[config["model_type"]]
    kind = gguf.GGMLQuantizationType[quantization]
    file_type = {"F32": "ALL_F32", "F16": "MOSTLY_F16", "BF16": "MOSTLY_BF16", "Q8_0": "MOSTLY_Q8_0"}[quantization]
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[architecture], split_max_tensors=tensors_per_file)
    _add_parameters(writer, config, gguf.LlamaFileType[file_type])
    _add_vocabulary(writer, folder, config)
    factors = rope_factors(config)
    if factors is not None:
        writer.add_tensor("rope_freqs.weight", factors)
    names = gguf.get_tensor_name_map(architecture, config["num_hidden_layers"])
    for name, tensor in state.items():
        if name == "lm_head.weight" and config["tie_word_embeddings"]:
            continue
        data = tensor.float().numpy() + norm_offset(config, name)
        heads = permuted_heads(config, name)
        if heads is not None:
            data = permute(data, heads)
        one = gguf.GGMLQuantizationType.F32 if data.ndim == 1 else kind
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")),
                          gguf.quants.quantize(np.ascontiguousarray(data), one), raw_dtype=one)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read_weights(path: Path, folder: Path, names_wanted: list[str]) -> dict[str, torch.Tensor]:
    """The dequantised weights of a file written by `write_gguf`, under their Hugging Face names."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    names = gguf.get_tensor_name_map(ARCHITECTURES[config["model_type"]], config["num_hidden_layers"])
    stored = {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(path).tensors}
    state = {}
    for name in names_wanted:
        key = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if key not in stored and name == "lm_head.weight":
            key = "token_embd.weight"
        heads = permuted_heads(config, name)
        data = (stored[key] if heads is None else unpermute(stored[key], heads)) - norm_offset(config, name)
        state[name] = torch.from_numpy(np.array(data, dtype=np.float32))
    return state
