"""What it costs to cut a run into tasks, against one run: scenarios of end_to_end.py."""
from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from workload import REPO, Workload

TASKS = 2


def _command(executable: Path, workload: Workload, prompts: Path, folder: str, threads: int, *extra: str) -> list[str]:
    return [str(executable), "--config", str(workload.config), "--prompts-path", str(prompts), "--analysis", "universal",
            "--universal-output", f"{folder}/universal.csv", "--progress", "none", "--threads", str(threads), *extra]


def _together(commands: list[list[str]]) -> list[str]:
    """Runs all at once. @return what they print"""
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    out = [process.communicate()[0] for process in processes]
    for process, command in zip(processes, commands):
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return out


def whole_run(executable: Path, workload: Workload) -> tuple[float, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        _together([_command(executable, workload, workload.prompts, folder, TASKS, "--no-cache")])
        return time.perf_counter() - start, Path(folder, "universal.csv").read_bytes()


def run_in_stages(executable: Path, workload: Workload) -> tuple[dict[str, float], bytes]:
    """Two tasks of one thread each at once, from an empty store. @return seconds by stage, and the outputs' bytes"""
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        def tasks(stage: str) -> list[list[str]]:
            numbers = [["--task", f"{i + 1}/{TASKS}"] for i in range(TASKS)] if stage != "finish" else [[]]
            return [_command(executable, workload, workload.prompts, folder, 1, "--store", f"{folder}/store", "--stage",
                             stage, *number) for number in numbers]

        for stage in ("forward", "encode", "finish"):
            start = time.perf_counter()
            _together(tasks(stage))
            seconds[stage] = time.perf_counter() - start
        return seconds, Path(folder, "universal.csv").read_bytes()


def stages(bench) -> None:
    """One run of two threads, and two tasks of one thread each at once, in turn."""
    whole, staged = [], []
    for _ in range(bench.repeat):
        seconds, expected = whole_run(bench.executable, bench.llama)
        whole.append(seconds)
        by_stage, found = run_in_stages(bench.executable, bench.llama)
        staged.append(by_stage)
        if found != expected:
            sys.exit("the stages gave other bytes than one run")
    ratios = [sum(by_stage.values()) / one for by_stage, one in zip(staged, whole)]
    print(f"### Stages: two tasks of one thread each take {statistics.median(ratios):.3f} × the time of one run with two "
          f"threads (pair by pair {', '.join(f'{ratio:.3f}' for ratio in ratios)}), the same bytes\n")
    print("| one run | " + " | ".join(staged[0]) + " | sum |\n|" + "---|" * (len(staged[0]) + 2))
    for one, by_stage in zip(whole, staged):
        print(f"| {one:.1f} s | " + " | ".join(f"{seconds:.1f} s" for seconds in by_stage.values())
              + f" | {sum(by_stage.values()):.1f} s |")
    print(flush=True)


def shares(bench) -> None:
    """How evenly the shipped prompts, repeated to 20,000, are cut: tokens that each task computes, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [line for file in sorted((REPO / "prompts").glob("*.jsonl")) for line in file.read_text().splitlines()]
        prompts = Path(folder) / "prompts.jsonl"
        count = 400 if bench.smoke else 20_000
        prompts.write_text("".join(json.dumps(json.loads(lines[i % len(lines)])) + "\n" for i in range(count)))
        print(f"### Shares of {count} prompts, {len(lines)} of them distinct\n")
        print("| tasks | most tokens ÷ mean | most seconds ÷ mean | copies of prefixes that tasks share |\n|---|---|---|---|")
        whole = 0
        for tasks in (1, 2, 4, 8, 16):
            computed, seconds = [], []
            for i in range(tasks):
                start = time.perf_counter()
                out = _together([_command(bench.executable, bench.smollm2, prompts, folder, TASKS, "--store",
                                          f"{folder}/store{tasks}", "--stage", "forward", "--task", f"{i + 1}/{tasks}")])[0]
                seconds.append(time.perf_counter() - start)
                computed.append(int(re.search(r"(\d+) distinct prefixes", out)[1]))
            whole = whole or sum(computed)
            print(f"| {tasks} | {max(computed) * tasks / sum(computed):.3f} | {max(seconds) * tasks / sum(seconds):.3f} | "
                  f"{100 * (sum(computed) / whole - 1):.1f} % |", flush=True)
        print()
