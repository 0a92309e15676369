"""The process of a run: it ends with whoever waits for it, its memory is its own, and torch's threads do not matter to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ENVIRONMENT, PIPELINE

# Enough work for several seconds. A shell starts what runs in the background without interrupts, so they are asked for.
LONG_RUN = f"""
import signal
import saescope
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    saescope.universal([f"Prompt number {{i}}: what is it like?" for i in range(50_000)], config={str(PIPELINE / "config.toml")!r},
                       cache=False, report=False)
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
"""


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(what: Callable[[], object], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.005)
    return False


def start(script: str, environment: dict[str, str]) -> tuple[subprocess.Popen[str], int]:
    """A Python that runs the script, and the process of the executable in the midst of its work."""
    process = subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip

    def runs() -> bool:  # and not still the Python that becomes it
        return any(not Path(f"/proc/{child}/comm").read_text().startswith("python") for child in children(process.pid))

    assert wait_for(runs, 30), process.communicate()[1]
    time.sleep(0.4)
    [child] = children(process.pid)
    assert is_alive(child)
    return process, child


@pytest.mark.parametrize("stubborn", [False, True], ids=["run", "process_that_ignores_signals"])
def test_an_interrupt_ends_the_process_within_a_second(stubborn: bool, tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "XDG_CACHE_HOME": str(tmp_path)}
    if stubborn:
        program = tmp_path / "stubborn"
        program.write_text("#!/bin/sh\ntrap '' INT TERM\nwhile :; do sleep 0.1; done\n")
        program.chmod(0o755)
        environment["SAESCOPE_EXECUTABLE"] = str(program)
    seconds: list[float] = []
    # A busy machine may keep any process waiting: one of three attempts is what counts.
    while len(seconds) < 3 and (not seconds or min(seconds) >= 1):
        process, child = start(LONG_RUN, environment)
        begin = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "KeyboardInterrupt\n"
        seconds.append(time.monotonic() - begin)
        assert not is_alive(child)
        process.communicate()
        assert process.returncode == 0
    assert min(seconds) < 1


def test_ctrl_c_in_a_terminal_reaches_both_processes_and_is_one_interrupt(tmp_path: Path) -> None:
    process, child = start(f"import os; os.setpgrp()\n{LONG_RUN}", {**ENVIRONMENT, "XDG_CACHE_HOME": str(tmp_path)})
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert output == "KeyboardInterrupt\n" and process.returncode == 0
    assert "Traceback" not in errors
    assert not is_alive(child)


def test_the_process_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    process, child = start(LONG_RUN, {**ENVIRONMENT, "XDG_CACHE_HOME": str(tmp_path)})
    process.kill()
    process.communicate()
    assert wait_for(lambda: not is_alive(child), 10)


def test_fifty_thousand_prompts_of_a_frame_take_no_memory_of_this_process(tmp_path: Path) -> None:
    script = f"""
import warnings
import pandas as pd
import saescope

warnings.simplefilter("ignore")  # of the long prompts, which only cost time to compute
frame = pd.DataFrame({{
    "content": ["Hi"] + [f"Prompt number {{i}}: {{'what is it like? ' * 20}}" for i in range(50_000)],
    "label": pd.Categorical([str(i % 3) for i in range(50_001)]),
}})
keywords = dict(config={str(PIPELINE / "config.toml")!r}, models="llama", layers=1, tokens="asst", progress=False, cache=False,
                max_tokens=30, skip_long=True)

def highest() -> int:
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

saescope.universal(frame.head(10), **keywords).universal  # imports, and what is needed for any number of prompts
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")  # counts from here
before = highest()
assert len(saescope.universal(frame, **keywords).universal) > 0
print(highest() - before, int(frame["content"].str.len().sum()) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", script], env={**ENVIRONMENT, "XDG_CACHE_HOME": str(tmp_path)},
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    growth, texts = map(int, done.stdout.split())
    assert texts > 15_000  # KiB that a copy would take at least
    assert growth < 4_000, growth


def torch_python() -> str:
    for python in (sys.executable, os.environ.get("SAESCOPE_TORCH_PYTHON", "")):
        if os.access(python, os.X_OK) and subprocess.run([python, "-c", "import torch, pandas, safetensors, tqdm"], capture_output=True).returncode == 0:
            return python
    pytest.skip("there is no Python with torch: tools/bench_python.sh makes one")


def test_a_run_inside_a_process_that_uses_torch_and_its_threads(tmp_path: Path) -> None:
    script = f"""
import torch
a = torch.randn(600, 600)
before = a @ a
assert torch.get_num_threads() >= 1
import saescope
keywords = dict(config={str(PIPELINE / "config.toml")!r}, models="llama", report=False, progress=False, cache=False)
first = saescope.universal({str(PIPELINE / "prompts")!r}, **keywords).universal
assert torch.equal(a @ a, before)
residuals = saescope.activations(["Hi", "Ho"], model="llama", layers=1, config=keywords["config"], progress=False)
assert torch.from_numpy(residuals[1, "asst"]).shape == (2, 32)
first.to_csv({str(tmp_path / "with_torch.csv")!r}, index=False)
"""
    done = subprocess.run([torch_python(), "-c", script], env={**ENVIRONMENT, "XDG_CACHE_HOME": str(tmp_path)},
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    import saescope

    alone = saescope.universal(PIPELINE / "prompts", config=PIPELINE / "config.toml", models="llama").universal
    alone.to_csv(tmp_path / "alone.csv", index=False)
    assert (tmp_path / "with_torch.csv").read_bytes() == (tmp_path / "alone.csv").read_bytes()
