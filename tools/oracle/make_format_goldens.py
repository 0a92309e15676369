#!/usr/bin/env python3
"""Write the small files that the tests of src/tensor and src/formats read, each with the reference package of its format.

    pip install torch==2.13.0 gguf==0.19.0 safetensors==0.8.0 numpy
    python3 tools/oracle/make_format_goldens.py

What is written to tests/goldens/formats/:
    dequantize_<TYPE>.bin  1024 elements as stored, followed by the float32 values of gguf.quants.dequantize
    small.safetensors      every dtype the program reads, one it does not, metadata, a scalar, an empty tensor
    small.gguf             every kind of metadata value, an alignment of 64, plain, quantised and unreadable tensors
    *.pt                   torch.save of state dicts (names say what is special about each)
Values are simple sequences, so that the tests can say what they expect without reading another file.
"""
from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import gguf
import numpy as np
import safetensors.torch
import torch
from gguf import GGMLQuantizationType as Type

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "goldens" / "formats"
ELEMENTS = 1024
# Byte offsets of the binary16 scales in one block of each type.
HALVES = {
    Type.F16: [0], Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0],
    Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208],
}
# Types that came later have random bits of their own, so that the others' stay as they are.
LATER_HALVES = {Type.Q2_K: [80, 82], Type.Q3_K: [108], Type.IQ4_NL: [0], Type.IQ4_XS: [0], Type.MXFP4: []}
LARGEST_EXPONENT = 250  # of MXFP4's scale; above, twelve times it is infinite
# Zero, negative zero, the smallest and largest subnormal of either sign, the largest number, one.
SPECIAL_HALVES = [0x0000, 0x8000, 0x0001, 0x83FF, 0x7BFF, 0xBC00]


def random_blocks(rng: np.random.Generator, kind: Type) -> np.ndarray:
    """Random bits in which no scale is infinite or NaN (payloads of NaNs differ between processors)."""
    block_elements, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (ELEMENTS // block_elements, block_bytes), dtype=np.uint8)
    for offset in {**HALVES, **LATER_HALVES}.get(kind, []):
        halves = np.ascontiguousarray(blocks[:, offset:offset + 2]).view(np.uint16)
        halves[(halves & 0x7C00) == 0x7C00] ^= 0x4000
        count = min(len(SPECIAL_HALVES), len(halves) // 2)
        halves[:count, 0] = np.roll(SPECIAL_HALVES, -offset)[:count]
        blocks[:, offset:offset + 2] = halves.view(np.uint8)
    if kind == Type.MXFP4:
        blocks[:, 0] = np.minimum(blocks[:, 0], LARGEST_EXPONENT)
        blocks[:4, 0] = [0, 1, 2, LARGEST_EXPONENT]
    if kind in (Type.F32, Type.BF16):  # the exponent's upper bits lie in the last byte
        blocks[:, -1] &= 0xBF
    return blocks


def write_dequantize(rng: np.random.Generator) -> None:
    later = np.random.default_rng(39)
    for kind in (Type.F32, Type.BF16, *HALVES, *LATER_HALVES):
        blocks = random_blocks(later if kind in LATER_HALVES else rng, kind)
        values = gguf.quants.dequantize(blocks.reshape(-1), kind).astype(np.float32)
        assert values.size == ELEMENTS and np.isfinite(values).all(), kind
        (FOLDER / f"dequantize_{kind.name}.bin").write_bytes(blocks.tobytes() + values.tobytes())


def sequence(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """0, 0.25, 0.5, … in row-major order: exact in every floating dtype for small sizes."""
    return (torch.arange(int(np.prod(shape)), dtype=torch.float32) / 4).reshape(shape).to(dtype)


def write_safetensors() -> None:
    tensors = {
        "f32": sequence(2, 3),
        "f16": sequence(4, dtype=torch.float16),
        "bf16": sequence(2, 2, dtype=torch.bfloat16),
        "i64": torch.tensor([-1, 1 << 40]),
        "i32": torch.tensor([[7], [-7]], dtype=torch.int32),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(1.5),
        "empty": torch.zeros(0, 5),
        "f64": torch.zeros(2, dtype=torch.float64),
    }
    safetensors.torch.save_file(tensors, FOLDER / "small.safetensors", metadata={"format": "pt", "größe": "x\ny"})


def write_gguf(rng: np.random.Generator) -> None:
    writer = gguf.GGUFWriter(FOLDER / "small.gguf", "llama")
    writer.add_custom_alignment(64)
    writer.add_uint8("u8", 200)
    writer.add_int8("i8", -100)
    writer.add_uint16("u16", 60000)
    writer.add_int16("i16", -30000)
    writer.add_uint32("u32", 4_000_000_000)
    writer.add_int32("i32", -2_000_000_000)
    writer.add_uint64("u64", 1 << 40)
    writer.add_int64("i64", -(1 << 40))
    writer.add_float32("f32", 0.5)
    writer.add_float64("f64", 1e-100)
    writer.add_bool("yes", True)
    writer.add_bool("no", False)
    writer.add_string("text", "Grüße\n")
    writer.add_array("tokens", ["<s>", "", "Ġa", "日本"])
    writer.add_array("types", [1, -2, 3])
    writer.add_array("scores", [0.5, -1.25])
    writer.add_array("flags", [True, False])
    f32 = (np.arange(6, dtype=np.float32) / 4).reshape(2, 3)
    writer.add_tensor("f32", f32)
    writer.add_tensor("f16", f32.astype(np.float16))
    writer.add_tensor("f32_3d", (np.arange(24, dtype=np.float32) / 4).reshape(2, 3, 4))
    for kind in (Type.Q8_0, Type.Q4_K, Type.IQ2_XXS):
        row_bytes = gguf.quants.quant_shape_to_byte_shape((2, 256), kind)
        writer.add_tensor(kind.name, rng.integers(0, 256, row_bytes, dtype=np.uint8), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class TiedModule(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(3, 2, bias=False)
        self.first.weight = torch.nn.Parameter(sequence(2, 3))
        self.second = torch.nn.Linear(3, 2, bias=False)
        self.second.weight = self.first.weight


def dictionary(dtype: torch.dtype) -> dict[str, object]:
    """The keys of BatchTopKSAE of dictionary_learning, with the encoder stored transposed as in published files."""
    return OrderedDict([
        ("b_dec", sequence(3, dtype=dtype)),
        ("k", torch.tensor(4, dtype=torch.int32)),
        ("threshold", torch.tensor(0.75)),
        ("decoder.weight", sequence(3, 5, dtype=dtype)),
        ("encoder.weight", sequence(3, 5, dtype=dtype).t()),
        ("encoder.bias", sequence(5, dtype=dtype)),
    ])


def write_torch() -> None:
    save = lambda name, value, **options: torch.save(value, FOLDER / name, **options)
    save("dictionary_f32.pt", dictionary(torch.float32))
    save("dictionary_f16.pt", dictionary(torch.float16))
    save("dictionary_bf16.pt", dictionary(torch.bfloat16))
    save("dictionary_protocol4.pt", dictionary(torch.float32), pickle_protocol=4)
    save("module.pt", TiedModule().state_dict())
    save("parameters.pt", dict(TiedModule().named_parameters(remove_duplicate=False)))
    base = sequence(4, 6)
    save("mixed.pt", {
        "slice": base[1:3, 2:5],
        "expanded": sequence(1, 3).expand(2, 3),
        "empty": torch.zeros(0, 3),
        "column": sequence(5, 1).t(),
        "i64": torch.tensor([1 << 40, -1]),
        "bool": torch.tensor([True, False]),
        "int": 7,
        "large_int": -(1 << 40),
        "float": 0.125,
        "flag": True,
    })
    compiled = {f"_orig_mod.module.{key}": value for key, value in dictionary(torch.float32).items()}
    optimizer = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.5, "params": [0, 1], "name": None}]}
    save("checkpoint.pt", {"epoch": 3, "state_dict": compiled, "optimizer": optimizer, "losses": []})
    save("double.pt", {"x": torch.zeros(1, dtype=torch.float64)})
    save("whole_module.pt", torch.nn.Linear(1, 1))
    save("legacy.pt", {"x": sequence(2)}, _use_new_zipfile_serialization=False)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    write_dequantize(rng)
    write_safetensors()
    write_gguf(rng)
    write_torch()
    total = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{FOLDER}: {len(list(FOLDER.iterdir()))} files, {total} bytes")


if __name__ == "__main__":
    main()
