"""What the tests share: a run over two tiny models with every kind of output, cut into one wave for each prompt."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = ROOT / "tests/goldens/pipeline"
EXECUTABLE = os.environ.get("SAESCOPE_EXECUTABLE", "")
FEW = 90
MANY = 600  # a task lasts long enough to be met at work
OUTPUTS = {
    "--universal-output": "universal.csv",
    "--specific-output": "specific.csv",
    "--contrast-output": "contrast.csv",
    "--token-activations": "tokens.jsonl",
    "--report": "report.html",
    "--activations-output": "activations.safetensors",
}

sys.path.insert(0, str(ROOT / "python"))
HOW_IT_WAS_MADE = ("created", "command", "device", "notes", "stages")


class Run:
    """The run, in a folder whose name needs quoting."""

    def __init__(self, folder: Path, dtype: str, prompts: int) -> None:
        self.dtype = dtype
        self.prompts = prompts
        self.folder = folder / "it's $HOME"
        self.folder.mkdir()
        self.store = self.folder / "store"
        self.job = self.folder / "job"
        self.flags = ["--config", str(PIPELINE / "config.toml"), "--analysis", "both", "--record-prompts", "--offline"]
        self.flags += ["--features-csv", str(PIPELINE / "features.csv"), "--batch-tokens", "1", "--dtype", dtype]
        self.flags += ["--prompts-path", "some prompts.jsonl", "--contrast", "weather:short", "--contrast-q", "1"]
        for flag, name in OUTPUTS.items():
            self.flags += [flag, f"out/{name}"]
        write_prompts(self.folder / "some prompts.jsonl", prompts)

    def submit(self, *options: str) -> subprocess.CompletedProcess[str]:
        """The command `submit` for a new job, from the run's folder."""
        command = ["--executable", EXECUTABLE, "--store", "store", "--folder", "job", *options, "--", *self.flags]
        return run(str(ROOT / "tools/slurm/submit"), *command, folder=self.folder)

    def resume(self, *options: str) -> subprocess.CompletedProcess[str]:
        return run(str(ROOT / "tools/slurm/submit"), "--resume", "job", *options, folder=self.folder)

    def command(self, *more: str) -> list[str]:
        """The executable's command line over the store."""
        return [EXECUTABLE, *self.flags, "--store", str(self.store), *more]

    def ids(self) -> list[str]:
        return list(json.loads((self.job / "job.json").read_text("utf-8"))["ids"].values())

    def log(self, name: str) -> str:
        return (self.job / "logs" / f"{name}.log").read_text("utf-8")

    def waves(self) -> int:
        """How many files of activations the store has."""
        return sum(path.suffix == ".safetensors" for path in self.store.rglob("*") if "jobs" not in path.parts)

    def outputs(self) -> dict[str, bytes]:
        """What the run wrote. A report also tells when and how it was made, which is left out."""
        files = {path.name: path.read_bytes() for path in (self.folder / "out").iterdir()}
        before, begin, rest = files["report.html"].partition(b'<script type="application/json" id="run">')
        facts, end, after = rest.partition(b"</script>")
        results = {name: fact for name, fact in json.loads(facts).items() if name not in HOW_IT_WAS_MADE}
        files["report.html"] = before + begin + json.dumps(results).encode() + end + after
        return files


def write_prompts(path: Path, number: int) -> None:
    lines = []
    for name in ("Z_first.jsonl", "a_second.jsonl"):
        lines += (PIPELINE / "prompts" / name).read_text("utf-8-sig").split("\n")
    records = [json.loads(line) for line in lines if line.strip()]
    with open(path, "w", encoding="utf-8") as file:
        for index in range(number):
            record = records[index % len(records)]
            file.write(json.dumps({**record, "content": f"{index} {record['content']}"}) + "\n")


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
    return done


def states(*jobs: str) -> dict[str, str]:
    """What Slurm calls the states of tasks, by JOB_TASK."""
    said = subprocess.run(
        ["squeue", "--jobs", ",".join(jobs), "--states=all", "--array", "--noheader", "--format=%i %T"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(line.split() for line in said.stdout.splitlines())


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, subprocess.run(["squeue", "--states=all", "--array"], capture_output=True, text=True).stdout
        time.sleep(0.05)


def wait_for_end(jobs: list[str]) -> set[str]:
    """Waits until the tasks of jobs have ended, and returns their states."""
    alive = {"PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "REQUEUED"}
    wait_until(lambda: not alive & set(states(*jobs).values()))
    return set(states(*jobs).values())


@pytest.fixture(scope="session", autouse=True)
def environment_of_jobs(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["OMP_WAIT_POLICY"] = "passive"  # more tasks than processors


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Run], dict[str, bytes]]:
    """The outputs of an ordinary run, in place of a job's."""
    known: dict[tuple[str, int], dict[str, bytes]] = {}

    def outputs(job: Run) -> dict[str, bytes]:
        key = (job.dtype, job.prompts)
        if key not in known:
            ordinary = Run(tmp_path_factory.mktemp("ordinary"), job.dtype, job.prompts)
            run(EXECUTABLE, *ordinary.flags, "--no-cache", "--progress", "none", folder=ordinary.folder)
            known[key] = ordinary.outputs()
            assert len(known[key]) == len(OUTPUTS) + 1
        return known[key]

    return outputs
