"""End-to-end benchmarks: `run_sae_analysis` against the PyTorch script, in turn, in one run.

    end_to_end.py --executable FILE --ops-bench FILE [--size full|small] [--isa native|avx2] [--repeat N]
                  [--only SCENARIO ...] [--smoke]

Prints the processor, and a Markdown table for each scenario: medians, ratios, stages, peaks of memory, and shares of the GEMM rates that
were measured in the same run. The PyTorch script computes in bfloat16 or float32, whichever is faster here. docs/performance.md says how to read it.
"""
from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from job_stages import shares, stages
from measure import Measurement, bring_into_page_cache, drop_from_page_cache
from processor import FORCED, describe, force
from programs import run_ours, run_pytorch
from workload import (FAMILY_SIZES, GEMMA3_4B, LLAMA_8B, QWEN3_8B, SIZES, Size, Workload, smollm2_workload,
                      synthetic_workload, write_prompts)

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "saescope"
TOKENIZER = CACHE / "tokenizers" / "llama3_1"
MIB = 1 << 20


@dataclasses.dataclass
class Bench:
    """What all scenarios share."""
    executable: Path
    ops_bench: Path
    size: Size
    repeat: int
    smoke: bool
    seed: bool
    dtypes: dict[str, str] = dataclasses.field(default_factory=dict)  # workload -> the script's faster dtype
    llama: Workload | None = None
    smollm2: Workload | None = None


def median(runs: list[Measurement], pick) -> float:
    return statistics.median(pick(run) for run in runs)


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def faster_dtype(bench: Bench, workload: Workload) -> str:
    """The dtype in which the script's forward pass of some prompts takes less time; measured once for a workload."""
    if workload.name not in bench.dtypes:
        with tempfile.TemporaryDirectory() as scratch:
            prompts = Path(scratch) / "some.jsonl"
            write_prompts(prompts, 16, mean_words=18, sigma=1.0)
            seconds = {dtype: min(run_pytorch(workload, "competent", dtype, prompts).seconds["forward"] for _ in range(2))
                       for dtype in ("bfloat16", "float32")}
        bench.dtypes[workload.name] = min(seconds, key=seconds.get)
        print(f"The script's forward of 16 prompts on {workload.name}: "
              + ", ".join(f"{dtype} {time:.2f} s" for dtype, time in seconds.items())
              + f"; it runs in {bench.dtypes[workload.name]}.\n", flush=True)
    return bench.dtypes[workload.name]


def gemm_rates(bench: Bench) -> dict[str, float]:
    """The best rates on whole matrices in GFLOP/s, oneDNN's (which is kept from AMX) or the program's own: what the stages are compared with."""
    report = json.loads(subprocess.run(
        [bench.ops_bench, "--benchmark_filter=BM_(Library)?Gemm(Bf16|F32)/", "--benchmark_format=json", "--benchmark_min_time=0.5"], check=True, capture_output=True, text=True).stdout)
    rates: dict[str, float] = {}
    for entry in report["benchmarks"]:
        if entry.get("error_occurred"):
            continue  # a dtype that the processor has no instructions for
        kind = "bf16" if "Bf16" in entry["name"] else "fp32"
        rates[kind] = max(rates.get(kind, 0.0), entry["FLOP"] / 1e9)
    return rates


def needed_operations(size: Size, prefixes: int, taps: int) -> tuple[float, float]:
    """Floating-point operations of the linear layers at distinct prefixes (top layer: keys and values for all, the rest
    for tapped positions), and of encoding the taps."""
    shape = LLAMA_8B
    query = shape.hidden * shape.heads * shape.head_dim
    key_value = 2 * shape.hidden * shape.kv_heads * shape.head_dim
    layer = 2 * query + key_value + 3 * shape.hidden * shape.intermediate
    top = size.tapped[-1]
    forward = 2.0 * (prefixes * (top * layer + key_value) + taps * (layer - key_value))
    return forward, 2.0 * taps * len(size.tapped) * shape.hidden * size.features


def table(header: list[str], rows: list[list[str]]) -> None:
    for row in [header, ["---"] * len(header), *rows]:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def row_of(name: str, runs: list[Measurement], compared_with: float | None) -> list[str]:
    wall = median(runs, lambda run: run.wall)
    stages = ", ".join(f"{stage} {median(runs, lambda run: run.seconds[stage]):.2f}"
                       for stage in runs[0].seconds if stage != "total")
    return [name, str(len(runs)), spread([run.wall for run in runs]),
            "" if compared_with is None else f"{wall / compared_with:.2f}",
            stages, f"{median(runs, lambda run: run.peak_resident) / MIB:.0f}",
            f"{median(runs, lambda run: run.peak_anonymous) / MIB:.0f}"]


def warm(workload: Workload) -> None:
    """A machine that gives up idle page cache forgets the files during the run before."""
    bring_into_page_cache(sorted(workload.model.glob("*.safetensors")) + sorted(workload.saes.rglob("ae.pt")))


RUN_HEADER = ["program", "runs", "seconds (min–max)", "ratio", "seconds by stage", "peak resident MiB",
              "peak anonymous MiB"]


def end_to_end(bench: Bench) -> None:
    """140 prompts through the model of 8B shape, SAEs at two layers: all programs in turn."""
    workload = bench.llama
    dtype = faster_dtype(bench, workload)
    runs: dict[str, list[Measurement]] = {"run_sae_analysis": [], "tuned": [], "competent": [], "seed": []}
    rates: list[dict[str, float]] = []
    for turn in range(bench.repeat):
        rates.append(gemm_rates(bench))
        warm(workload)
        runs["run_sae_analysis"].append(run_ours(bench.executable, workload, "--no-cache"))
        rates.append(gemm_rates(bench))
        for structure in ("tuned", "competent", "seed"):
            if structure == "seed" and (turn > 0 or not bench.seed):
                continue  # once: it takes many minutes
            warm(workload)
            runs[structure].append(run_pytorch(workload, structure, dtype))
    ours = runs["run_sae_analysis"]
    wall = median(ours, lambda run: run.wall)
    print(f"### End to end: {ours[0].tokens} tokens, {ours[0].prefixes} distinct prefixes\n")
    table(RUN_HEADER, [row_of(name, of, wall) for name, of in runs.items() if of])
    forward, encode = needed_operations(bench.size, ours[0].prefixes, 140 * len(workload.tokens))
    rows = []
    for stage, operations, kind in (("forward", forward, "bf16" if "bf16" in rates[0] else "fp32"), ("encode", encode, "fp32")):
        seconds = median(ours, lambda run: run.seconds[stage])
        peak = statistics.median(rate[kind] for rate in rates)
        rows.append([stage, f"{operations / 1e12:.2f}", f"{seconds:.2f}", f"{operations / seconds / 1e9:.0f}",
                     f"{peak:.0f} ({kind})", f"{100 * operations / seconds / 1e9 / peak:.0f} %"])
    table(["stage", "needed TFLOP", "seconds", "GFLOP/s", "GEMM rate measured in this run", "share"], rows)


def families(bench: Bench) -> None:
    """140 prompts through four layers of other families' shapes, SAEs at two."""
    for shape in (GEMMA3_4B, QWEN3_8B):
        size = FAMILY_SIZES[bench.size.name]
        workload = synthetic_workload(CACHE / "bench" / f"{shape.name}-{size.name}", shape, size, TOKENIZER)
        dtype = faster_dtype(bench, workload)
        runs: dict[str, list[Measurement]] = {"run_sae_analysis": [], "tuned": [], "competent": []}
        for _ in range(bench.repeat):
            warm(workload)
            runs["run_sae_analysis"].append(run_ours(bench.executable, workload, "--no-cache"))
            for structure in ("tuned", "competent"):
                warm(workload)
                runs[structure].append(run_pytorch(workload, structure, dtype))
        ours = runs["run_sae_analysis"]
        wall = median(ours, lambda run: run.wall)
        print(f"### {shape.name}, {size.layers} layers: {ours[0].tokens} tokens, {ours[0].prefixes} distinct prefixes\n")
        table(RUN_HEADER, [row_of(name, of, wall) for name, of in runs.items()])


def memory_limit(bench: Bench) -> None:
    """`--memory-limit 1GiB` finishes with the same bytes."""
    free = run_ours(bench.executable, bench.llama, "--no-cache")
    limited = run_ours(bench.executable, bench.llama, "--no-cache", "--memory-limit", "1GiB")
    if free.bytes != limited.bytes:
        raise SystemExit("--memory-limit 1GiB changed the outputs")
    print("### `--memory-limit 1GiB`: the same bytes\n")
    table(RUN_HEADER, [row_of("no limit", [free], None), row_of("1 GiB", [limited], free.wall)])


def specific(bench: Bench) -> None:
    """50 chosen features alone: what the SAEs cost beside the forward pass."""
    runs = [run_ours(bench.executable, bench.llama, "--no-cache", analysis="specific") for _ in range(bench.repeat)]
    share = median(runs, lambda run: run.seconds["encode"] / run.seconds["forward"])
    print(f"### Specific analysis of 50 features: SAE stage {100 * share:.1f} % of the forward pass\n")
    table(RUN_HEADER, [row_of("run_sae_analysis", runs, None)])


def cached(bench: Bench) -> None:
    """The same prompts again with another threshold: the activations are there."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"XDG_CACHE_HOME": home}
        first = run_ours(bench.executable, bench.llama, environment=environment)
        again = [run_ours(bench.executable, bench.llama, "--threshold", "0.5", environment=environment)
                 for _ in range(bench.repeat)]
    wall = median(again, lambda run: run.wall)
    encode = median(again, lambda run: run.seconds["encode"])
    print(f"### Another `--threshold`: {first.wall / wall:.1f} times faster than the first run, "
          f"{wall / encode:.2f} times its encode stage alone\n")
    table(RUN_HEADER, [row_of("first", [first], wall), row_of("again", again, None)])


def smollm2(bench: Bench) -> None:
    """A small model, where starting up is what counts."""
    dtype = faster_dtype(bench, bench.smollm2)
    runs: dict[str, list[Measurement]] = {"run_sae_analysis": [], "competent": []}
    for _ in range(bench.repeat):
        runs["run_sae_analysis"].append(run_ours(bench.executable, bench.smollm2, "--no-cache"))
        runs["competent"].append(run_pytorch(bench.smollm2, "competent", dtype))
    ours = runs["run_sae_analysis"]
    wall = median(ours, lambda run: run.wall)
    start = median(ours, lambda run: run.wall - run.seconds["total"] + run.seconds["prepare"])
    print(f"### SmolLM2-135M, {ours[0].tokens} tokens, {ours[0].prefixes} distinct prefixes; "
          f"everything before the forward pass {start:.2f} s\n")
    table(RUN_HEADER, [row_of(name, of, wall) for name, of in runs.items()])


def long_prompts(bench: Bench) -> None:
    """Eight prompts of nearly SmolLM2's whole context."""
    with tempfile.TemporaryDirectory() as scratch:
        prompts = Path(scratch) / "long.jsonl"
        write_prompts(prompts, 8, mean_words=5790, sigma=0.0, ascii_only=True)
        dtype = faster_dtype(bench, bench.smollm2)
        runs: dict[str, list[Measurement]] = {"run_sae_analysis": [], "competent": []}
        for _ in range(bench.repeat):
            runs["run_sae_analysis"].append(run_ours(bench.executable, bench.smollm2, "--no-cache", prompts=prompts))
            runs["competent"].append(run_pytorch(bench.smollm2, "competent", dtype, prompts))
    ours = runs["run_sae_analysis"]
    wall = median(ours, lambda run: run.wall)
    print(f"### Long prompts: 8 of {ours[0].tokens // 8} tokens on SmolLM2-135M\n")
    table(RUN_HEADER, [row_of(name, of, wall) for name, of in runs.items()])


def growth(bench: Bench) -> None:
    """Time for each prompt and memory from 1,000 to 50,000 prompts."""
    rows = []
    for count in (100, 200) if bench.smoke else (1000, 10000, 50000):
        with tempfile.TemporaryDirectory() as scratch:
            prompts = Path(scratch) / "many.jsonl"
            write_prompts(prompts, count, mean_words=3, sigma=0.0)
            run = run_ours(bench.executable, bench.smollm2, "--no-cache", prompts=prompts)
        rows.append([str(count), str(run.prefixes), f"{run.wall:.1f}", f"{1e3 * run.wall / count:.2f}",
                     f"{run.peak_resident / MIB:.0f}", f"{run.peak_anonymous / MIB:.0f}"])
    print("### Growth on SmolLM2-135M\n")
    table(["prompts", "distinct prefixes", "seconds", "ms for each prompt", "peak resident MiB", "peak anonymous MiB"],
          rows)


def cold_files(bench: Bench) -> None:
    """One prompt with nothing in the page cache: the disk is what counts, and dd says what it can do."""
    workload = bench.llama
    tapped = workload.tapped[-1]
    weights = [workload.model / f"model-{number:05}-of-{bench.size.layers + 2:05}.safetensors"
               for number in range(3, tapped + 4)]
    size = sum(file.stat().st_size for file in weights)

    def rate_of_dd() -> float:
        drop_from_page_cache(weights)
        start = time.perf_counter()
        for file in weights:
            subprocess.run(["dd", f"if={file}", "of=/dev/null", "bs=1M"], check=True, capture_output=True)
        return size / (time.perf_counter() - start)

    def rate_of_ours(prompts: Path) -> float:
        drop_from_page_cache(weights)
        run = run_ours(bench.executable, workload, "--no-cache", analysis="specific", prompts=prompts)
        return size / run.seconds["forward"]

    ours, disk = [], []
    with tempfile.TemporaryDirectory() as scratch:
        prompts = Path(scratch) / "one.jsonl"
        write_prompts(prompts, 1, mean_words=1, sigma=0.0)
        for turn in range(2 * bench.repeat):  # each goes first in turn: the second may find a warmer disk
            if turn % 2:
                disk.append(rate_of_dd())
            ours.append(rate_of_ours(prompts))
            if turn % 2 == 0:
                disk.append(rate_of_dd())
    ratios = [100 * a / b for a, b in zip(ours, disk)]
    print(f"### Cold files, one prompt: {statistics.median(ours) / 1e6:.0f} MB/s of weights through the forward pass, "
          f"dd {statistics.median(disk) / 1e6:.0f} MB/s; pair by pair {spread(ratios)} %\n", flush=True)


SCENARIOS = {function.__name__: function for function in
             (smollm2, long_prompts, cached, specific, memory_limit, end_to_end, families, cold_files, growth, stages, shares)}
ON_LLAMA = {"cached", "specific", "memory_limit", "end_to_end", "cold_files", "stages"}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--executable", type=Path, required=True)
    parser.add_argument("--ops-bench", type=Path, required=True)
    parser.add_argument("--size", choices=sorted(SIZES), default="full")
    parser.add_argument("--isa", choices=sorted(FORCED), default="native", help="the processor that all programs see")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=sorted(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--no-seed", action="store_true", help="leave out the seed's structure, the slowest")
    parser.add_argument("--smoke", action="store_true", help="SmolLM2 and few prompts: whether the benchmarks work")
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    force(options.isa)
    names = ["smollm2", "growth", "shares"] if options.smoke else options.only
    bench = Bench(options.executable.resolve(), options.ops_bench.resolve(), SIZES[options.size],
                  1 if options.smoke else options.repeat, options.smoke, not options.no_seed)
    bench.smollm2 = smollm2_workload(CACHE / "bench", CACHE / "demo" / "SmolLM2-135M-Instruct.Q4_1.gguf")
    if ON_LLAMA & set(names):
        bench.llama = synthetic_workload(CACHE / "bench" / bench.size.name, LLAMA_8B, bench.size, TOKENIZER)
        warm(bench.llama)
    print(f"{describe(options.isa)}; torch {__import__('torch').__version__}, size {bench.size.name}\n", flush=True)
    for name in names:
        SCENARIOS[name](bench)


if __name__ == "__main__":
    main()
