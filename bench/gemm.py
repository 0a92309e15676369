"""Float32 GEMM at the shapes of Llama-3.1-8B beside OpenBLAS and PyTorch's MKL, and attention beside that GEMM, in one run.

    gemm.py --ops-bench FILE [--isa native|avx2] [--rounds N] [--smoke]

The programs take turns; figures are medians of the rounds, each the best of some runs.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from processor import FORCED, describe, force

BENCH = Path(__file__).resolve().parent
ROWS = 512
# [out, in] of the query and output, the key and value, the gate and up, and the down projection
SHAPES = {"q, o": (4096, 4096), "k, v": (1024, 4096), "gate, up": (14336, 4096), "down": (4096, 14336)}
LONG = 4096  # tokens


def shape_text(out: int, inputs: int) -> str:
    return f"{ROWS}x{out}x{inputs}"


def run_ours(ops_bench: Path, pattern: str, repetitions: int) -> dict[str, float]:
    """Benchmark name -> its best rate in GFLOP/s."""
    report = json.loads(subprocess.run(
        [ops_bench, f"--benchmark_filter={pattern}", "--benchmark_format=json", "--benchmark_min_time=0.01",
         f"--benchmark_repetitions={repetitions}"], check=True, capture_output=True, text=True).stdout)
    rates: dict[str, float] = {}
    for entry in report["benchmarks"]:
        if entry["run_type"] == "iteration":
            rates[entry["run_name"]] = max(rates.get(entry["run_name"], 0.0), entry["FLOP"] / 1e9)
    return rates


def run_library(library: str, threads: int, shapes: list[str]) -> dict[str, float]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    return json.loads(subprocess.run([sys.executable, BENCH / "library_gemm.py", library, str(threads), *shapes],
                                     check=True, capture_output=True, text=True, env=environment).stdout)


def name_of_ours(out: int, inputs: int, threads: int) -> str:
    return f"BM_LinearF32/rows:{ROWS}/out:{out}/in:{inputs}/threads:{threads}/real_time"


def gemm_table(ops_bench: Path, rounds: int, threads: int) -> None:
    ours: list[dict[str, float]] = []
    libraries: dict[str, list[dict[str, float]]] = {"numpy": [], "torch": []}
    shapes = [shape_text(*shape) for shape in SHAPES.values()]
    for _ in range(rounds):
        ours.append(run_ours(ops_bench, f"BM_LinearF32/.*/threads:{threads}/", 5))
        for library, rates in libraries.items():
            rates.append(run_library(library, threads, shapes))
    print(f"### Float32 GEMM, {ROWS} rows, {threads} thread{'s' if threads > 1 else ''}: GFLOP/s\n")
    print("| projection | [out, in] | run_sae_analysis | OpenBLAS (NumPy) | MKL (PyTorch) | share of the better one |")
    print("| --- | --- | --- | --- | --- | --- |")
    for projection, (out, inputs) in SHAPES.items():
        text = shape_text(out, inputs)
        own = statistics.median(rates[name_of_ours(out, inputs, threads)] for rates in ours)
        blas, mkl = (statistics.median(rates[text] for rates in libraries[library]) for library in ("numpy", "torch"))
        print(f"| {projection} | [{out}, {inputs}] | {own:.1f} | {blas:.1f} | {mkl:.1f} | {100 * own / max(blas, mkl):.0f} % |")
    print(flush=True)


def attention_line(ops_bench: Path, rounds: int, threads: int) -> None:
    """Operations: 4 · head_dim for each head and pair of a token and one that it sees."""
    gemm = name_of_ours(*SHAPES["gate, up"], threads)
    attention = f"BM_AttentionThreads/tokens:{LONG}/threads:{threads}/real_time"
    runs = [run_ours(ops_bench, f"^({gemm}|{attention})$", 3) for _ in range(rounds)]
    rates = {name: statistics.median(run[name] for run in runs) for name in (gemm, attention)}
    print(f"Attention over {LONG} tokens, {threads} thread{'s' if threads > 1 else ''}: {rates[attention]:.1f} GFLOP/s, "
          f"{100 * rates[attention] / rates[gemm]:.0f} % of the float32 GEMM's {rates[gemm]:.1f}\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ops-bench", type=Path, required=True)
    parser.add_argument("--isa", choices=sorted(FORCED), default="native")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--smoke", action="store_true", help="one round: whether it works")
    options = parser.parse_args()
    force(options.isa)
    print(f"{describe(options.isa)}\n")
    rounds = 1 if options.smoke else options.rounds
    for threads in (1, 2):
        gemm_table(options.ops_bench.resolve(), rounds, threads)
        attention_line(options.ops_bench.resolve(), rounds, threads)


if __name__ == "__main__":
    main()
