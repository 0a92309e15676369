"""Job arrays on a real Slurm give the bytes of one ordinary run, whatever happens to their tasks."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import EXECUTABLE, FEW, MANY, PIPELINE, ROOT, Run, run, states, wait_for_end, wait_until, write_prompts

import saescope

Expected = Callable[[Run], "dict[str, bytes]"]


@pytest.mark.parametrize("dtype", ["bf16", "fp32"])
def test_a_submitted_run_gives_the_bytes_of_an_ordinary_one(
    dtype: str, tmp_path: Path, expected: Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Run(tmp_path, dtype, FEW)
    monkeypatch.setenv("NODES_DISK", str(tmp_path / "disk"))
    options = ["--cpus-per-task", "2", "--comment=it's \"quoted\" #1", "--local-copy", "$NODES_DISK/copies"]
    said = job.submit("--tasks", "3", "--at-once", "2", *options).stdout
    assert "watch    squeue --jobs=" + ",".join(job.ids()) in said and "cancel   scancel " in said
    assert wait_for_end(job.ids()) == {"COMPLETED"}
    assert job.outputs() == expected(job)
    assert "2 threads" in job.log("forward-1")
    assert len(list((tmp_path / "disk/copies").glob("*.safetensors"))) == 3  # of llama's layers two files, of qwen's one
    assert "wrote out/universal.csv" in (job.job / "summary.txt").read_text("utf-8")


def test_a_task_that_slurm_starts_again_goes_on_where_it_was(tmp_path: Path, expected: Expected) -> None:
    """As where a job of higher priority needs its place, or its node fails."""
    job = Run(tmp_path, "bf16", MANY)
    job.submit("--tasks", "3", "--at-once", "2")
    forward = job.ids()[0]
    wait_until(lambda: states(forward).get(f"{forward}_1") == "RUNNING" and job.waves() > 20)
    run("scontrol", "requeue", f"{forward}_1", folder=tmp_path)
    assert wait_for_end(job.ids()) == {"COMPLETED"}
    assert job.outputs() == expected(job)
    first, second = job.log("forward-1").split("DUE TO JOB REQUEUE")
    assert "llama: prompts" not in first and "0 of them were in the store\nllama" not in second


def test_a_killed_task_stops_the_job_and_the_resumed_one_finishes(tmp_path: Path, expected: Expected) -> None:
    """Slurm may be told to start the task again, but what depends on its array is cancelled all the same."""
    job = Run(tmp_path, "bf16", MANY)
    job.submit("--tasks", "3", "--at-once", "2")
    forward, encode, finish = job.ids()
    wait_until(lambda: states(forward).get(f"{forward}_2") == "RUNNING" and job.waves() > 20)
    run("scancel", "--batch", "--signal=KILL", f"{forward}_2", folder=tmp_path)
    wait_until(lambda: states(forward)[f"{forward}_2"] == "FAILED")
    run("scontrol", "requeue", f"{forward}_2", folder=tmp_path)
    wait_for_end([forward, encode, finish])
    assert set(states(encode, finish).values()) == {"CANCELLED"}
    assert not any((job.folder / "out").glob("*"))
    job.resume("--tasks", "5")
    assert wait_for_end(job.ids()) == {"COMPLETED"}
    assert job.outputs() == expected(job)


def test_a_cancelled_job_is_resumed_and_another_number_of_tasks_uses_its_store(tmp_path: Path, expected: Expected) -> None:
    job = Run(tmp_path, "bf16", MANY)
    said = job.submit("--tasks", "3", "--at-once", "2").stdout
    wait_until(lambda: job.waves() > 20)
    cancel = next(line for line in said.splitlines() if "scancel" in line).split()[1:]
    run(*cancel, folder=tmp_path)
    assert wait_for_end(job.ids()) <= {"CANCELLED", "COMPLETED"}
    job.resume()
    assert wait_for_end(job.ids()) == {"COMPLETED"}
    assert job.outputs() == expected(job)
    (job.folder / "out").rename(job.folder / "of three tasks")
    job.job = job.folder / "other job"
    job.submit("--tasks", "7", "--folder", "other job")
    assert wait_for_end(job.ids()) == {"COMPLETED"}
    assert job.outputs() == expected(job)
    assert re.search(rf"llama: (\d+) of {MANY} prompts are this task.s, .* \1 of them were in the store", job.log("forward-7"))


def test_tasks_find_their_numbers_in_an_array_and_under_srun(tmp_path: Path, expected: Expected) -> None:
    job = Run(tmp_path, "bf16", FEW)
    forward = shlex.join(job.command("--stage", "forward", "--task", "auto", "--threads", "1"))
    array = run("sbatch", "--parsable", "--array=5-9:2", "--output=forward-%a.log", "--wrap", forward, folder=job.folder)
    assert wait_for_end([array.stdout.strip()]) == {"COMPLETED"}
    encode = job.command("--stage", "encode", "--task", "auto", "--threads", "1")
    run("srun", "--ntasks=3", *encode, folder=job.folder)
    run(*job.command("--stage", "finish"), folder=job.folder)
    assert job.outputs() == expected(job)
    assert len(list(job.store.glob("jobs/*/encode-*-of-3"))) == 3


def test_python_submits_waits_and_has_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_prompts(tmp_path / "prompts.jsonl", FEW)
    features = PIPELINE / "features.csv"
    job = saescope.submit("both", "prompts.jsonl", features, tasks=3, at_once=2, config=PIPELINE / "config.toml", contrast=True,
                          sbatch={"cpus_per_task": 1, "time": 5}, record_prompts=True)  # fmt: skip
    job.cancel()
    with pytest.raises(saescope.RunError, match="the job ended in the stage forward") as failed:
        job.wait(progress=False, every=0.5)
    assert "CANCELLED" in failed.value.found
    job.resume(sbatch={"time": 6})
    result = saescope.open_job(job.folder).wait(every=0.5)
    here = saescope.analyze("prompts.jsonl", features, config=PIPELINE / "config.toml", contrast=True, record_prompts=True)
    for table in ("universal", "specific", "contrast", "active_prompts"):
        assert getattr(result, table).equals(getattr(here, table)), table
    assert result.report.html
    assert job.status()["completed"].tolist() == [3, 3, 1]


def test_a_job_that_slurm_refuses_in_part_is_not_submitted_in_part(tmp_path: Path) -> None:
    job = Run(tmp_path, "bf16", FEW)
    (tmp_path / "bin").mkdir()
    sbatch = tmp_path / "bin/sbatch"
    refuse = "case $* in *encode.sh) echo 'sbatch: error: no more jobs' >&2; exit 1 ;; esac"
    sbatch.write_text(f'#!/bin/sh\n{refuse}\nexec {shutil.which("sbatch")} --hold --comment={tmp_path} "$@"\n')
    sbatch.chmod(0o755)
    command = [str(ROOT / "tools/slurm/submit"), "--executable", EXECUTABLE, "--tasks", "2", "--no-check", "--", *job.flags]
    environment = {**os.environ, "PATH": f"{sbatch.parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=job.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "sbatch refuses the job of the stage encode" in done.stderr and "no more jobs" in done.stderr
    queue = run("squeue", "--states=all", "--noheader", "--format=%k %T", folder=tmp_path).stdout.splitlines()
    assert [line.split()[1] for line in queue if line.startswith(str(tmp_path))] == ["CANCELLED"]
