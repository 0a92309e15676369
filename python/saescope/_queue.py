"""What Slurm says of jobs: of those that wait, run or ended lately (squeue), and of earlier ones where it keeps accounts (sacct)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from saescope._errors import RunError

# States of Slurm in which a task has its processors; in those that are named nowhere here it waits.
_RUNNING = frozenset("RUNNING COMPLETING CONFIGURING RESIZING SIGNALING STAGE_OUT STOPPED SUSPENDED".split())
_FAILED = frozenset("BOOT_FAIL CANCELLED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT".split())

_PATIENCE = 60  # seconds in which a busy controller answers


class Task(NamedTuple):
    """A task of a job array, or a job that is none, whose number is empty."""

    job: str
    number: str
    state: str
    reason: str

    @property
    def phase(self) -> str:
        """One of pending, running, completed and failed."""
        if self.state == "COMPLETED":
            return "completed"
        return "running" if self.state in _RUNNING else "failed" if self.state in _FAILED else "pending"


def tasks(jobs: Sequence[str]) -> list[Task]:
    """The tasks of jobs that Slurm knows. Those of a job that ended minutes ago may be forgotten.

    Raises RunError where Slurm does not answer.
    """
    found = {(task.job, task.number): task for task in _accounts(jobs)}
    found.update({(task.job, task.number): task for task in _queue(jobs)})
    return list(found.values())


def _queue(jobs: Sequence[str]) -> Iterator[Task]:
    done = _run("squeue", "--jobs=" + ",".join(jobs), "--states=all", "--array", "--noheader", "--format=%F|%K|%T|%r")
    # A single job that is forgotten is an error to squeue, one of several is not.
    if done.returncode != 0 and "Invalid job id" not in done.stderr:
        raise RunError("Slurm does not answer", "squeue", found=done.stderr.strip())
    for line in done.stdout.splitlines():
        job, number, state, reason = line.split("|", 3)
        yield Task(job, "" if number == "N/A" else number, state, "" if reason == "None" else reason)


def _accounts(jobs: Sequence[str]) -> Iterator[Task]:
    if shutil.which("sacct") is None:
        return
    done = _run("sacct", "--jobs=" + ",".join(jobs), "--allocations", "--array", "--parsable2", "--noheader",
                "--format=JobID,State")  # fmt: skip
    for line in done.stdout.splitlines() if done.returncode == 0 else []:
        name, state = line.split("|", 1)
        job, _, number = name.partition("_")
        if "[" not in number:  # tasks that wait, which squeue has one by one
            yield Task(job, number, state.split()[0], "")  # such as "CANCELLED by 1000"


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RunError("Slurm does not answer", command[0], found=str(error)) from error
