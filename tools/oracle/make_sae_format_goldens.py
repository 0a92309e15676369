#!/usr/bin/env python3
"""Goldens of the SAE formats besides dictionary_learning: synthetic files, encoded by the references' own loaders.

Writes tests/goldens/sae_formats/: for each variant the files in their layout, <variant>.safetensors with `input` and
`encoded`, and index.json. Where a variant has a threshold, one row meets it exactly. See sae_packages.py for the packages.
"""
from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from common import GOLDENS, fresh_folder, normal, rng_of, write_json, write_tensors
from make_sae_goldens import ABOVE, AT, BELOW, D, EDGE, EDGE_ROW, F, K, MARGIN, TWINS, inputs_of
from make_sae_goldens import draw as draw_with_twins
from sae_packages import LensSae, SparseCoder, lens_loaders, llamascopium_sae

ROOT = GOLDENS / "sae_formats"
HOOK = "blocks.1.hook_resid_post"
QWEN_D, QWEN_F = 8, 1024  # the smallest width that a name of Qwen-Scope can say
NORM_IN, NORM_OUT = 12.0, 9.0


def draw(rng) -> dict[str, torch.Tensor]:
    """Without equal features, of which a top-k may keep any."""
    drawn = draw_with_twins(rng)
    drawn["encoder"][list(TWINS)] = normal(rng, len(TWINS), D, scale=D ** -0.5)
    return drawn


def thresholds(rng, scale: float = 0.3) -> torch.Tensor:
    values = normal(rng, F, scale=scale).abs()
    values[[AT, ABOVE, BELOW]] = EDGE
    return values


# Each writer puts the files of one variant into `folder` and returns (encode, input rows).

def lens_config(**changes) -> dict:
    return {"d_in": D, "d_sae": F, "dtype": "float32", "device": "cpu", "apply_b_dec_to_input": True,
            "normalize_activations": "none", "reshape_activations": "none", "architecture": "standard",
            "metadata": {"sae_lens_version": "6.54.12", "hook_name": HOOK, "model_name": "tiny"}, **changes}


def write_lens(folder: Path, rng, config: dict, dtype: torch.dtype = torch.float32):
    drawn = draw(rng)
    architecture = config.get("architecture", "standard")
    state = {"W_enc": drawn["encoder"].T, "b_enc": drawn["bias"], "W_dec": drawn["decoder"].T, "b_dec": drawn["b_dec"]}
    if architecture == "jumprelu":
        state["threshold"] = thresholds(rng)
    if architecture == "gated":
        gate = normal(rng, F, scale=0.2)
        gate[[AT, ABOVE, BELOW]] = torch.tensor([-EDGE / 2, -EDGE / 2 + 2.0 ** -26, -EDGE / 2 - 2.0 ** -25])
        state = {"W_enc": state["W_enc"], "W_dec": state["W_dec"], "b_dec": state["b_dec"], "b_gate": gate,
                 "b_mag": drawn["bias"], "r_mag": normal(rng, F, scale=0.3)}
    save_file({key: value.to(dtype).contiguous() for key, value in state.items()}, str(folder / "sae_weights.safetensors"))
    write_json(folder / "cfg.json", config)
    rows = inputs_of(rng, drawn["b_dec"] if config.get("apply_b_dec_to_input", True) else None)
    if config.get("normalize_activations") in ("layer_norm", "constant_norm_rescale"):
        rows[:3] = normal(rng, 3, D)  # no rows of zeros, and no exact sums
    return LensSae.load_from_disk(str(folder)).encode, rows


def lens_hub(loader: str, repo: str, name: str, files: Path, overrides: dict):
    """An SAE as SAELens makes it of files that it would download."""
    lens_loaders.hf_hub_download = lambda repo_id, filename, subfolder=None, force_download=False: str(
        files / (f"{subfolder}/{filename}" if subfolder else filename))
    lens_loaders.get_safetensors_tensor_shapes = lambda repo_id, filename: {"w_enc": [D, F], "w_dec": [F, D]}
    config, state, _ = lens_loaders.__dict__[loader](repo, name, "cpu", False, {"dtype": "float32", **overrides})
    config = lens_loaders.handle_config_defaulting(config)
    sae_config = LensSae.get_sae_config_class_for_architecture(config["architecture"]).from_dict(config)
    sae = LensSae.get_sae_class_for_architecture(sae_config.architecture())(sae_config)
    sae.process_state_dict_for_loading(state)
    sae.load_state_dict({key: value.float() for key, value in state.items()})
    return sae


def gemma_arrays(rng) -> dict[str, torch.Tensor]:
    drawn = draw(rng)
    return {"W_enc": drawn["encoder"].T.contiguous(), "b_enc": drawn["bias"], "W_dec": drawn["decoder"].T.contiguous(),
            "b_dec": drawn["b_dec"], "threshold": thresholds(rng)}


def write_gemma_1(folder: Path, rng, save):
    name = "layer_1/width_16k/average_l0_8"
    fresh_folder(folder / name)
    save(folder / name / "params.npz", **{key: value.numpy() for key, value in gemma_arrays(rng).items()})
    sae = lens_hub("gemma_2_sae_huggingface_loader", "google/gemma-scope-2b-pt-res", name, folder, {"d_in": D, "d_sae": F})
    return sae.encode, inputs_of(rng, None)


def write_gemma_2(folder: Path, rng, with_config: bool):
    name = "resid_post/layer_1_width_16k_l0_medium"
    fresh_folder(folder / name)
    arrays = {key.lower(): value for key, value in gemma_arrays(rng).items()}
    save_file(arrays, str(folder / name / "params.safetensors"))
    config = folder / name / "config.json"
    write_json(config, {"architecture": "jump_relu", "affine_connection": False, "hf_hook_point_in": "model.layers.1.output",
                        "hf_hook_point_out": "model.layers.1.output", "l0": 60, "model_name": "gemma-v3-4b-it",
                        "type": "sae", "width": F})
    sae = lens_hub("gemma_3_sae_huggingface_loader", "google/gemma-scope-2-4b-it", name, folder, {})
    if not with_config:
        config.unlink()
    return sae.encode, inputs_of(rng, None)


def write_linear(folder: Path, rng, file: str, encoder: str, decoder: str, loader: str, dtype: torch.dtype):
    drawn = draw(rng)
    torch.save({f"{encoder}.weight": drawn["encoder"].to(dtype), f"{encoder}.bias": drawn["bias"].to(dtype),
                f"{decoder}.weight": drawn["decoder"].to(dtype), f"{decoder}.bias": drawn["b_dec"].to(dtype)}, folder / file)
    sae = lens_hub(loader, "Goodfire/Llama-3.1-8B-Instruct-SAE-l19" if loader.startswith("get_good") else
                   "qresearch/DeepSeek-R1-Distill-Llama-8B-SAE-l19", file, folder, {"d_in": D, "d_sae": F})
    return sae.encode, inputs_of(rng, None)


def write_qwen_scope(folder: Path, rng):
    repo = "SAE-Res-Qwen3-8B-Base-W1K-L0_8"
    fresh_folder(folder / repo)
    state = {"W_enc": normal(rng, QWEN_F, QWEN_D, scale=QWEN_D ** -0.5), "b_enc": normal(rng, QWEN_F, scale=0.2),
             "W_dec": normal(rng, QWEN_D, 1).expand(QWEN_D, QWEN_F), "b_dec": normal(rng, QWEN_D)}
    torch.save(state, folder / repo / "layer1.sae.pt")
    sae = lens_hub("qwen_scope_sae_huggingface_loader", f"Qwen/{repo}", "layer1.sae.pt", folder / repo, {"d_in": QWEN_D})
    return sae.encode, normal(rng, 20, QWEN_D, scale=1.5)


def llamascopium_encode(state: dict[str, torch.Tensor], threshold: torch.Tensor):
    """The authors' encoder of folded weights, and its decoder norms."""
    config = llamascopium_sae.SAEConfig(d_model=D, expansion_factor=F / D, act_fn="jumprelu", norm_activation="dataset-wise",
                                        sparsity_include_decoder_norm=True, use_decoder_bias=True, hook_point_in=HOOK,
                                        hook_point_out=HOOK + ".out", dtype=torch.float32, device="cpu")
    sae = llamascopium_sae.SparseAutoEncoder(config)
    sae.W_E.data, sae.b_E.data = state["encoder.weight"].T.clone(), state["encoder.bias"].clone()
    sae.W_D.data, sae.b_D.data = state["decoder.weight"].T.clone(), state["decoder.bias"].clone()
    sae.activation_function.log_jumprelu_threshold.data = threshold.log()
    sae.set_dataset_average_activation_norm({HOOK: NORM_IN, HOOK + ".out": NORM_OUT})
    sae.standardize_parameters_of_dataset_norm()
    return sae


def llama_scope_state(rng) -> dict[str, torch.Tensor]:
    drawn = draw(rng)
    return {"encoder.weight": drawn["encoder"], "encoder.bias": drawn["bias"], "decoder.weight": drawn["decoder"],
            "decoder.bias": drawn["b_dec"]}


def write_llama_scope(folder: Path, rng, lens: bool):
    name = "Llama3_1-8B-Base-L1R-8x"
    fresh_folder(folder / name / "checkpoints")
    state = llama_scope_state(rng)
    save_file({key: value.contiguous() for key, value in state.items()},
              str(folder / name / "checkpoints" / "final.safetensors"))
    write_json(folder / name / "hyperparams.json", {
        "act_fn": "jumprelu", "apply_decoder_bias_to_pre_encoder": False, "d_model": D, "d_sae": F,
        "dataset_average_activation_norm": {"in": NORM_IN, "out": NORM_OUT}, "expansion_factor": F / D, "hook_point_in": HOOK,
        "hook_point_out": HOOK, "jump_relu_threshold": 1.0, "norm_activation": "dataset-wise",
        "sparsity_include_decoder_norm": True, "use_decoder_bias": True, "use_glu_encoder": False})
    rows = inputs_of(rng, None)
    if lens:
        sae = lens_hub("llama_scope_sae_huggingface_loader", "fnlp/Llama3_1-8B-Base-LXR-8x", name, folder, {})
        sae.fold_activation_norm_scaling_factor(math.sqrt(D) / NORM_IN)
        return sae.encode, rows
    sae = llamascopium_encode(state, torch.ones(F))
    # Norms moved from the decoder to the encoder, as the code of these releases does when it loads them.
    return (lambda x: sae.encode(x) * sae.decoder_norm()), rows


def write_llama_scope_r1(folder: Path, rng, lens: bool):
    name = "L1R"
    fresh_folder(folder / name)
    state = llama_scope_state(rng)
    threshold = normal(rng, F, scale=0.3).abs() + 0.01
    norms = {f"dataset_average_activation_norm.{HOOK}": torch.tensor(NORM_IN),
             f"dataset_average_activation_norm.{HOOK}.out": torch.tensor(NORM_OUT)}
    save_file({**{key: value.contiguous() for key, value in state.items()}, "log_jumprelu_threshold": threshold.log(), **norms},
              str(folder / name / "sae_weights.safetensors"))
    write_json(folder / name / "config.json", {
        "act_fn": "jumprelu", "d_model": D, "expansion_factor": F // D, "hook_point_in": HOOK, "hook_point_out": HOOK + ".out",
        "norm_activation": "dataset-wise", "sparsity_include_decoder_norm": True, "use_decoder_bias": True})
    rows = inputs_of(rng, None)
    if lens:
        sae = lens_hub("llama_scope_r1_distill_sae_huggingface_loader", "fnlp/Llama-Scope-R1-Distill", name, folder, {})
        sae.fold_activation_norm_scaling_factor(math.sqrt(D) / NORM_IN)
        return sae.encode, rows
    return llamascopium_encode(state, threshold).encode, rows


def write_sparsify(folder: Path, rng, activation: str, latents: dict):
    name = "layers.1"
    fresh_folder(folder / name)
    drawn = draw(rng)
    save_file({"W_dec": drawn["decoder"].T.contiguous(), "b_dec": drawn["b_dec"], "encoder.bias": drawn["bias"],
               "encoder.weight": drawn["encoder"]}, str(folder / name / "sae.safetensors"))
    write_json(folder / name / "cfg.json", {"activation": activation, "d_in": D, "k": K, "multi_topk": False,
                                            "normalize_decoder": True, "transcode": False, **latents})
    coder = SparseCoder.load_from_disk(folder / name)

    def encode(x: torch.Tensor) -> torch.Tensor:
        values, indices, _ = coder.encode(x)
        return torch.zeros(len(x), F).scatter_(1, indices, values)

    return encode, inputs_of(rng, drawn["b_dec"])


BEFORE_6 = {"d_in": D, "d_sae": F, "dtype": "float32", "device": "cpu", "hook_point": "blocks.2.hook_resid_pre",
            "hook_point_layer": 2, "model_name": "tiny", "normalize_activations": False, "activation_fn_str": "relu"}
LINEAR = {"file": "Llama-3.1-8B-Instruct-SAE-l19.pth", "encoder": "encoder_linear", "decoder": "decoder_linear",
          "loader": "get_goodfire_huggingface_loader", "dtype": torch.float32}
QRESEARCH = {**LINEAR, "file": "DeepSeek-R1-Distill-Llama-8B-SAE-l1.pt", "encoder": "encoder", "decoder": "decoder",
             "loader": "deepseek_r1_sae_huggingface_loader", "dtype": torch.bfloat16}

# name -> (writer, its arguments, path of the SAE below the variant's folder, repository, SAELens' reading, has edges)
VARIANTS = {
    "saelens_standard": (write_lens, {"config": lens_config()}, "", "", False, False),
    "saelens_standard_bf16": (write_lens, {"config": lens_config(), "dtype": torch.bfloat16}, "", "", False, False),
    "saelens_jumprelu": (write_lens, {"config": lens_config(architecture="jumprelu")}, "", "", False, True),
    "saelens_jumprelu_without_b_dec": (write_lens, {"config": lens_config(
        architecture="jumprelu", apply_b_dec_to_input=False)}, "", "", False, True),
    "saelens_topk": (write_lens, {"config": lens_config(architecture="topk", k=K)}, "", "", False, False),
    "saelens_topk_rescaled": (write_lens, {"config": lens_config(
        architecture="topk", k=K, rescale_acts_by_decoder_norm=True)}, "", "", False, False),
    "saelens_gated": (write_lens, {"config": lens_config(architecture="gated")}, "", "", False, True),
    "saelens_layer_norm": (write_lens, {"config": lens_config(normalize_activations="layer_norm")}, "", "", False, False),
    "saelens_constant_norm": (write_lens, {"config": lens_config(
        architecture="jumprelu", normalize_activations="constant_norm_rescale")}, "", "", False, False),
    "saelens_average_norm": (write_lens, {"config": lens_config(
        normalize_activations="expected_average_only_in")}, "", "", False, False),
    "saelens_before_6": (write_lens, {"config": BEFORE_6, "dtype": torch.float16}, "", "", False, False),
    "saelens_before_6_topk": (write_lens, {"config": {
        **BEFORE_6, "activation_fn_str": "topk", "activation_fn_kwargs": {"k": K}}}, "", "", False, False),
    "gemma_scope_1": (write_gemma_1, {"save": np.savez}, "layer_1/width_16k/average_l0_8", "", False, True),
    "gemma_scope_1_deflated": (write_gemma_1, {"save": np.savez_compressed}, "layer_1/width_16k/average_l0_8", "", False, True),
    "gemma_scope_2": (write_gemma_2, {"with_config": True}, "resid_post/layer_1_width_16k_l0_medium", "", False, True),
    "gemma_scope_2_without_config": (write_gemma_2, {"with_config": False},
                                     "resid_post/layer_1_width_16k_l0_medium", "", False, True),
    "goodfire": (write_linear, LINEAR, "Llama-3.1-8B-Instruct-SAE-l19.pth", "", False, False),
    "qresearch": (write_linear, QRESEARCH, "DeepSeek-R1-Distill-Llama-8B-SAE-l1.pt", "", False, False),
    "qwen_scope": (write_qwen_scope, {}, "SAE-Res-Qwen3-8B-Base-W1K-L0_8/layer1.sae.pt", "", False, False),
    "llama_scope": (write_llama_scope, {"lens": False}, "Llama3_1-8B-Base-L1R-8x", "", False, False),
    "llama_scope_as_saelens": (write_llama_scope, {"lens": True}, "Llama3_1-8B-Base-L1R-8x", "", True, False),
    "llama_scope_r1": (write_llama_scope_r1, {"lens": False}, "L1R", "", False, False),
    "llama_scope_r1_as_saelens": (write_llama_scope_r1, {"lens": True}, "L1R", "", True, False),
    "sparsify_topk": (write_sparsify, {"activation": "topk", "latents": {"num_latents": F}}, "layers.1", "", False, False),
    "sparsify_groupmax": (write_sparsify, {"activation": "groupmax", "latents": {"num_latents": 0, "expansion_factor": 2}},
                          "layers.1", "", False, False),
}


def is_clear(encode, rows: torch.Tensor, has_edges: bool) -> bool:
    """Whether inputs that are off by a little have the same active features: nothing but the edge lies at a switch."""
    kept = torch.ones(len(rows), dtype=torch.bool)
    kept[EDGE_ROW] = not has_edges
    kept[:2] = False  # zeros and the decoder's bias: sums are exact there
    active = encode(rows) > 0
    sizes = 1 + rows.norm(dim=1, keepdim=True)
    rng = rng_of("nudges")
    return all(torch.equal((encode(rows + MARGIN * sizes * normal(rng, *rows.shape, scale=0.3)) > 0)[kept], active[kept])
               for _ in range(8))


def make(name: str) -> dict:
    writer, arguments, path, repository, reading, has_edges = VARIANTS[name]
    for attempt in range(200):
        folder = fresh_folder(ROOT / name)
        encode, rows = writer(folder, rng_of(f"{name}/{attempt}"), **arguments)
        with torch.inference_mode():
            if not is_clear(encode, rows, has_edges):
                continue
            encoded = encode(rows).float()
        if has_edges:
            edge = encoded[EDGE_ROW]
            assert edge[AT] == 0 and edge[ABOVE] > 0 and edge[BELOW] == 0, (name, edge[:3])
        assert (encoded > 0).any()
        write_tensors(ROOT / f"{name}.safetensors", {"input": rows, "encoded": encoded})
        return {"name": name, "path": f"{name}/{path}".rstrip("/"), "repository": repository, "saelens_reading": reading,
                "layer": 19 if name == "goodfire" else 1}
    raise AssertionError(f"{name}: no clear draw")


def main() -> None:
    fresh_folder(ROOT)
    write_json(ROOT / "index.json", {"variants": [make(name) for name in VARIANTS]})


if __name__ == "__main__":
    main()
