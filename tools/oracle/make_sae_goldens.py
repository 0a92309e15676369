#!/usr/bin/env python3
"""Goldens of the SAE encoders: every class that dictionary_learning's `load_dictionary` knows, small.

Writes tests/goldens/sae/<class>/<variant>/{ae.pt,config.json,golden.safetensors}. The archive and the configuration are
saved as the package's `trainSAE` saves them, `encoded` is what `load_dictionary(...)[0].encode(input)` returns with
encode's defaults. See tests/goldens/README.md.
"""
from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch

from common import GOLDENS, fresh_folder, import_dictionary_learning, normal, rng_of, write_json, write_tensors

dl = import_dictionary_learning()
trainers = dl.trainers

D, F, ROWS, K = 24, 48, 20, 8
EDGE = 0.5  # the pre-activation that meets a threshold exactly
EDGE_ROW = 2  # its input is b_dec + e_0 where the class subtracts a bias, else e_0: one product and one sum, both exact
AT, ABOVE, BELOW = 0, 1, 2  # features whose pre-activation there is the threshold, one ulp above it, one below it
TWINS = (10, 11, 12)  # features with equal weights: ties in AutoEncoderTopK
MARGIN = 5e-5  # smallest distance of any other pre-activation from its threshold, relative to 1 + |x|

COMMON = {"steps": 100_000, "activation_dim": D, "dict_size": F, "layer": 1, "lm_name": "tiny", "seed": 0, "device": "cpu"}


def trainer_of(kind: str):
    """The trainer that makes such a dictionary, for its own `config`."""
    match kind:
        case "AutoEncoder":
            return trainers.standard.StandardTrainer(**COMMON, warmup_steps=10, sparsity_warmup_steps=None,
                                                     resample_steps=None)
        case "AutoEncoderNew":
            return trainers.standard.StandardTrainerAprilUpdate(**COMMON, warmup_steps=10, sparsity_warmup_steps=None)
        case "GatedAutoEncoder":
            return trainers.gdm.GatedSAETrainer(**COMMON, l1_penalty=0.1, warmup_steps=10, sparsity_warmup_steps=None)
        case "JumpReluAutoEncoder":
            return trainers.jumprelu.JumpReluTrainer(**COMMON, sparsity_warmup_steps=None)
        case "AutoEncoderTopK":
            return trainers.top_k.TopKTrainer(**COMMON, k=K)
        case "BatchTopKSAE":
            return trainers.batch_top_k.BatchTopKTrainer(**COMMON, k=K)
        case "MatryoshkaBatchTopKSAE":
            return trainers.matryoshka_batch_top_k.MatryoshkaBatchTopKTrainer(
                **COMMON, k=K, group_fractions=[0.25, 0.25, 0.5])
    raise ValueError(kind)


def config_of(kind: str) -> dict:
    config = dict(trainer_of(kind).config)
    config["dict_class"] = kind  # no trainer of the package makes an AutoEncoderNew
    return {"trainer": config, "buffer": {"d_submodule": D, "io": "out", "n_ctxs": 64, "ctx_len": 128,
                                          "refresh_batch_size": 8, "out_batch_size": 256, "device": "cpu"}}


def eighths(tensor: torch.Tensor) -> torch.Tensor:
    """Rounded to multiples of 1/8, so that adding and subtracting small numbers of them is exact in every dtype."""
    return torch.round(tensor * 8) / 8


def draw(rng) -> dict[str, torch.Tensor]:
    """Encoder [F, d] and its bias, decoder [d, F] and its bias; the edge features have exact sums at the edge input."""
    encoder, bias = normal(rng, F, D, scale=D ** -0.5), normal(rng, F, scale=0.2)
    for feature, tail in ((AT, 0.0), (ABOVE, 2.0 ** -24), (BELOW, -(2.0 ** -25))):
        encoder[feature, 0], bias[feature] = EDGE / 2, EDGE / 2 + tail
    for twin in TWINS[1:]:
        encoder[twin], bias[twin] = encoder[TWINS[0]], bias[TWINS[0]]
    return {"encoder": encoder, "bias": bias, "decoder": normal(rng, D, F, scale=0.2), "b_dec": eighths(normal(rng, D, scale=0.5))}


def inputs_of(rng, b_dec: torch.Tensor | None) -> torch.Tensor:
    """[20, d]: zeros, the decoder's bias, the edge row, random rows of three sizes."""
    rows = normal(rng, ROWS, D, scale=1.5)
    rows[0] = 0
    rows[1] = 0 if b_dec is None else b_dec
    rows[EDGE_ROW] = torch.eye(D)[0] + (0 if b_dec is None else b_dec)
    rows[3:6] *= 100
    rows[6:9] *= 0.05
    return rows


def contiguous(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous()


def transposed(tensor: torch.Tensor) -> torch.Tensor:
    """The same matrix stored column after column: strides (1, rows)."""
    return tensor.T.contiguous().T


def sliced(tensor: torch.Tensor) -> torch.Tensor:
    """The same matrix inside a larger storage: an offset, and rows further apart than they are long."""
    storage = torch.full((tensor.shape[0] + 3, tensor.shape[1] + 5), 7.0, dtype=tensor.dtype)
    storage[2:-1, 4:-1] = tensor
    return storage[2:-1, 4:-1]


def state_of(kind: str, drawn: dict[str, torch.Tensor], rng) -> dict[str, torch.Tensor]:
    """The state dict of one class in the order its module registers it."""
    encoder, bias, decoder, b_dec = (drawn[key] for key in ("encoder", "bias", "decoder", "b_dec"))
    k = {"k": torch.tensor(K, dtype=torch.int)}
    match kind:
        case "AutoEncoder":
            return {"bias": b_dec, "encoder.weight": encoder, "encoder.bias": bias, "decoder.weight": decoder}
        case "AutoEncoderNew":
            return {"encoder.weight": encoder, "encoder.bias": bias, "decoder.weight": decoder, "decoder.bias": b_dec}
        case "GatedAutoEncoder":
            gate_bias = normal(rng, F, scale=0.2)
            gate_bias[[AT, ABOVE, BELOW]] = torch.tensor([-EDGE / 2, -EDGE / 2 + 2.0 ** -26, -EDGE / 2 - 2.0 ** -25])
            return {"decoder_bias": b_dec, "r_mag": normal(rng, F, scale=0.3), "gate_bias": gate_bias, "mag_bias": bias,
                    "encoder.weight": encoder, "decoder.weight": decoder}
        case "JumpReluAutoEncoder":
            threshold = normal(rng, F, scale=0.3)  # some are negative: the ReLU stands after the jump
            threshold[[AT, ABOVE, BELOW]] = EDGE
            return {"W_enc": encoder.T, "b_enc": bias, "W_dec": decoder.T, "b_dec": b_dec, "threshold": threshold}
        case "AutoEncoderTopK" | "BatchTopKSAE":
            return {"b_dec": b_dec, **k, "threshold": torch.tensor(EDGE), "decoder.weight": decoder,
                    "encoder.weight": encoder, "encoder.bias": bias}
        case "MatryoshkaBatchTopKSAE":
            return {"W_enc": encoder.T, "b_enc": bias, "W_dec": decoder.T, "b_dec": b_dec, **k,
                    "threshold": torch.tensor(EDGE), "group_sizes": torch.tensor([12, 12, 24])}
    raise ValueError(kind)


def subtracts_bias(kind: str) -> bool:
    return kind not in ("AutoEncoderNew", "JumpReluAutoEncoder")


def margins(kind: str, sae, rows: torch.Tensor) -> torch.Tensor:
    """Distance of every pre-activation from where encode switches, [rows, F], relative to the row's size, in double."""
    state = {key: value.detach().double() for key, value in sae.state_dict().items()}
    weight = state["W_enc"].T if "W_enc" in state else state["encoder.weight"]
    bias = state.get("b_enc", state.get("encoder.bias", state.get("mag_bias")))
    centre = state.get("b_dec", state.get("bias", state.get("decoder_bias")))
    x = rows.double() - (centre if subtracts_bias(kind) else 0)
    linear = x @ weight.T
    size = 1 + x.norm(dim=1, keepdim=True)
    if kind == "GatedAutoEncoder":
        gate = (linear + state["gate_bias"]).abs()
        magnitude = (linear * state["r_mag"].exp() + bias).abs()
        return torch.minimum(gate, magnitude) / size
    threshold = state.get("threshold", torch.tensor(0.0))
    if kind == "AutoEncoderTopK":  # the switch lies between the k-th and the next value
        ordered = (linear + bias).relu().sort(dim=1, descending=True).values
        threshold = (ordered[:, K - 1:K] + ordered[:, K:K + 1]) / 2
    return (linear + bias - threshold).abs() / size


def tie_rows(rng, drawn: dict[str, torch.Tensor], rows: torch.Tensor) -> dict[str, int]:
    """Rewrites three rows for AutoEncoderTopK: all twins inside the top k, and the k-th place between twins."""
    encoder, bias, b_dec = drawn["encoder"], drawn["bias"], drawn["b_dec"]
    found = {}
    while len(found) < 3:
        row = b_dec + normal(rng, D, scale=1.5)
        pre = (row - b_dec) @ encoder.T + bias
        above = int((pre > pre[TWINS[0]] + 0.01).sum())
        name = {K - 3: "inside", K - 2: "one_of_three_left_out", K - 1: "two_of_three_left_out"}.get(above)
        if name and name not in found and pre[TWINS[0]] > 0.1:
            found[name] = ROWS - 1 - len(found)
            rows[found[name]] = row
    return found


def draw_until_clear(kind: str, variant: str, store, dtype: torch.dtype, folder: Path):
    """Draws weights and inputs until nothing but the edge row and the tied rows lies close to a switch."""
    for attempt in range(1000):
        rng = rng_of(f"{kind}/{variant}/{attempt}")
        drawn = draw(rng)
        if variant == "normalised":
            drawn["decoder"] /= drawn["decoder"].norm(dim=0)
        state = {key: value.to(dtype) if value.is_floating_point() else value
                 for key, value in state_of(kind, drawn, rng).items()}
        rows = inputs_of(rng, drawn["b_dec"] if subtracts_bias(kind) else None)
        ties = tie_rows(rng, drawn, rows) if kind == "AutoEncoderTopK" else {}
        matrix = "W_enc" if "W_enc" in state else "encoder.weight"
        state[matrix] = store(state[matrix])
        save(folder, kind, variant, state)
        sae, config = dl.utils.load_dictionary(str(folder), "cpu")
        clear = margins(kind, sae, rows)
        clear[EDGE_ROW, [AT, ABOVE, BELOW]] = 1
        if kind == "AutoEncoderTopK":  # where fewer than k are above 0 all of them are kept
            clear[[ties["one_of_three_left_out"], ties["two_of_three_left_out"]]] = 1
            positive = (((rows - sae.b_dec) @ sae.encoder.weight.T + sae.encoder.bias) > 0).sum(1)
            clear[positive <= K] = 1
        if clear.min() > MARGIN:
            return sae, rows, ties
    raise AssertionError(f"{kind}/{variant}: no clear draw")


def save(folder: Path, kind: str, variant: str, state: dict[str, torch.Tensor]) -> None:
    """As `trainSAE` saves: a plain dict of tensors; variants keep a module's OrderedDict or its parameters."""
    if variant == "ordered_dict":
        state = OrderedDict(state)
    if variant == "parameters":
        state = {key: torch.nn.Parameter(value) for key, value in state.items()}
    torch.save(state, folder / "ae.pt")
    write_json(folder / "config.json", config_of(kind))


def check_edge(kind: str, encoded: torch.Tensor, dtype: torch.dtype) -> None:
    """The row that meets the threshold: equal is off, one ulp above is on (float32 only), one below is off."""
    edge = encoded[EDGE_ROW]
    if kind in ("AutoEncoder", "AutoEncoderNew", "AutoEncoderTopK"):
        return
    assert edge[AT] == 0, kind
    if dtype == torch.float32:
        assert edge[ABOVE] > 0 and edge[BELOW] == 0, kind


VARIANTS = [  # class, variant, storage of the encoder, dtype
    ("AutoEncoder", "unnormalised", contiguous, torch.float32),
    ("AutoEncoder", "normalised", transposed, torch.float32),
    ("AutoEncoderNew", "contiguous", contiguous, torch.float32),
    ("AutoEncoderNew", "ordered_dict", transposed, torch.float32),
    ("GatedAutoEncoder", "transposed", transposed, torch.float32),
    ("GatedAutoEncoder", "parameters", contiguous, torch.float32),
    ("JumpReluAutoEncoder", "contiguous", contiguous, torch.float32),
    ("JumpReluAutoEncoder", "transposed", transposed, torch.float32),
    ("AutoEncoderTopK", "contiguous", contiguous, torch.float32),
    ("AutoEncoderTopK", "transposed", transposed, torch.float32),
    ("BatchTopKSAE", "contiguous", contiguous, torch.float32),
    ("BatchTopKSAE", "transposed", transposed, torch.float32),
    ("BatchTopKSAE", "sliced", sliced, torch.float32),
    ("BatchTopKSAE", "f16", contiguous, torch.float16),
    ("BatchTopKSAE", "bf16_transposed", transposed, torch.bfloat16),
    ("MatryoshkaBatchTopKSAE", "contiguous", contiguous, torch.float32),
    ("MatryoshkaBatchTopKSAE", "transposed", transposed, torch.float32),
]


def main() -> None:
    fresh_folder(GOLDENS / "sae")
    index = []
    for kind, variant, store, dtype in VARIANTS:
        folder = fresh_folder(GOLDENS / "sae" / kind / variant)
        torch.manual_seed(0)  # AutoEncoder.from_pretrained tests itself on random input
        sae, rows, ties = draw_until_clear(kind, variant, store, dtype, folder)
        with torch.inference_mode():
            encoded = sae.encode(rows)
        assert encoded.dtype == torch.float32
        check_edge(kind, encoded, dtype)
        write_tensors(folder / "golden.safetensors", {"input": rows, "encoded": encoded})
        saved = torch.load(folder / "ae.pt")
        matrix = saved["W_enc" if "W_enc" in saved else "encoder.weight"]
        index.append({"class": kind, "variant": variant, "dtype": str(dtype).removeprefix("torch."),
                      "encoder_shape": list(matrix.shape), "encoder_stride": list(matrix.stride()),
                      "encoder_offset": matrix.storage_offset(), "tie_rows": ties,
                      "active": int((encoded > 0).sum())})
    write_json(GOLDENS / "sae" / "index.json", {
        "edge_row": EDGE_ROW, "edge_features": {"at": AT, "above": ABOVE, "below": BELOW}, "twins": list(TWINS),
        "variants": index})


if __name__ == "__main__":
    main()
