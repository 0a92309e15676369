#!/usr/bin/env python3
"""Stands for sbatch, squeue, sacct and scancel, by the name that it is called by: a job runs while it is submitted.

FAKE_SLURM is the folder with its jobs, in `jobs.json`: by id, a list of [task, state, reason]. Files beside it make something happen:
`refuse-STAGE` lets sbatch refuse that stage's job, `fail-STAGE` lets its last task fail, `hold` lets jobs wait, `silent` lets squeue fail,
and what `accounts` holds is what sacct says.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

HOME = Path(os.environ["FAKE_SLURM"])
JOBS = HOME / "jobs.json"


def read() -> dict[str, list[list[str]]]:
    return json.loads(JOBS.read_text("utf-8")) if JOBS.exists() else {}


def sbatch(arguments: list[str]) -> None:
    script = Path(arguments[-1])
    if (HOME / f"refuse-{script.stem}").exists():
        sys.exit("sbatch: error: Batch job submission failed: Invalid qos specification")
    jobs = read()
    name = str(len(jobs) + 101)
    before = [argument.split(":")[1] for argument in arguments if argument.startswith("--dependency=afterok:")]
    blocked = any(task[1] == "FAILED" for job in before for task in jobs[job])
    options = dict(option.partition("=")[::2] for option in options_of(script))
    numbers = range(1, int(options["--array"].split("-")[1].split("%")[0]) + 1) if "--array" in options else [None]
    jobs[name] = [run(script, options, number, blocked, number in (None, len(numbers))) for number in numbers]
    JOBS.write_text(json.dumps(jobs), "utf-8")
    print(name)


def options_of(script: Path) -> list[str]:
    lines = script.read_text("utf-8").splitlines()
    return [word for line in lines if line.startswith("#SBATCH ") for word in shlex.split(line[8:])]


def run(script: Path, options: dict[str, str], number: "int | None", blocked: bool, last: bool) -> list[str]:
    task = "N/A" if number is None else str(number)
    if blocked:
        return [task, "CANCELLED", "DependencyNeverSatisfied"]
    if (HOME / "hold").exists():
        return [task, "PENDING", "Resources"]
    environment = {**os.environ, "SLURM_ARRAY_TASK_ID": task, "SLURM_CPUS_ON_NODE": "1"}
    command = ["sh", "-c", "echo out of luck; false"] if last and (HOME / f"fail-{script.stem}").exists() else ["bash", str(script)]
    with open(options["--output"].replace("%a", task).replace("%%", "%"), "ab") as log:
        done = subprocess.run(command, cwd=options["--chdir"], env=environment, stdout=log, stderr=log)
    return [task, "COMPLETED" if done.returncode == 0 else "FAILED", "None" if done.returncode == 0 else "NonZeroExitCode"]


def squeue(arguments: list[str]) -> None:
    if (HOME / "silent").exists():
        sys.exit("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    wanted = arguments[0].split("=")[1].split(",")
    jobs = read()
    if not jobs.keys() & set(wanted):
        sys.exit("slurm_load_jobs error: Invalid job id specified")
    for job in jobs.keys() & set(wanted):
        for task in jobs[job]:
            print("|".join([job, *task]))


def sacct(_: list[str]) -> None:
    accounts = HOME / "accounts"
    if not accounts.exists():
        sys.exit("Slurm accounting storage is disabled")
    print(accounts.read_text("utf-8"), end="")


def scancel(arguments: list[str]) -> None:
    jobs = read()
    for job in arguments:
        jobs[job] = [[task, "CANCELLED", "None"] if state == "PENDING" else [task, state, reason] for task, state, reason in jobs[job]]
    JOBS.write_text(json.dumps(jobs), "utf-8")
    with open(HOME / "cancelled", "a", encoding="utf-8") as file:
        file.write(" ".join(arguments) + "\n")


{"sbatch": sbatch, "squeue": squeue, "sacct": sacct, "scancel": scancel}[Path(sys.argv[0]).name](sys.argv[1:])
