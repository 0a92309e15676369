"""Float32 x · weightᵀ in a library, timed: OpenBLAS through NumPy or MKL through PyTorch.

    library_gemm.py numpy|torch THREADS ROWSxOUTxIN ...

Prints a JSON object: the shape -> GFLOP/s (best of several runs). NumPy's OpenBLAS takes its threads from the environment.
"""
from __future__ import annotations

import json
import sys
import time

RUNS = 5


def best_rate(multiply, operations: float) -> float:
    multiply()
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        multiply()
        seconds.append(time.perf_counter() - start)
    return operations / min(seconds) / 1e9


def numpy_product(rows: int, out: int, inputs: int):
    import numpy as np
    generator = np.random.default_rng(1)
    x = generator.standard_normal((rows, inputs), dtype=np.float32)
    weight = generator.standard_normal((out, inputs), dtype=np.float32)
    y = np.empty((rows, out), dtype=np.float32)
    return lambda: np.matmul(x, weight.T, out=y)


def torch_product(rows: int, out: int, inputs: int):
    import torch
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(rows, inputs, generator=generator)
    weight = torch.randn(out, inputs, generator=generator)
    return lambda: torch.nn.functional.linear(x, weight)


def main() -> None:
    library, threads, *shapes = sys.argv[1:]
    if library == "torch":
        import torch
        torch.set_num_threads(int(threads))
        torch.set_grad_enabled(False)
    product = {"numpy": numpy_product, "torch": torch_product}[library]
    rates = {}
    for shape in shapes:
        rows, out, inputs = map(int, shape.split("x"))
        rates[shape] = best_rate(product(rows, out, inputs), 2.0 * rows * out * inputs)
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
