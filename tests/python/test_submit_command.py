"""The command `submit`: what it refuses, what it writes, and that scripts hand flags over as they were given."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ENVIRONMENT, EXECUTABLE, PIPELINE, ROOT, assert_same

import saescope

SUBMIT = str(ROOT / "tools/slurm/submit")
FLAGS = ["--config", str(PIPELINE / "config.toml"), "--prompts-path", str(PIPELINE / "prompts"), "--analysis", "universal",
         "--universal-output", "out/universal.csv", "--models", "llama"]  # fmt: skip
NASTY = ["plain", "two words", "it's", 'a "quote"', "$HOME", "`id`", "back\\slash", "*", "#no comment", "", "ümläut", "new\nline", "-9", "a=b;c&d"]


def submit(*arguments: str, folder: "Path | None" = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SUBMIT, *arguments], cwd=folder, env={**os.environ, "PYTHON": sys.executable}, capture_output=True, text=True)


def test_the_command_needs_python_3_6_and_its_standard_library() -> None:
    tree = ast.parse((ROOT / "python/saescope/_slurm.py").read_text("utf-8"), feature_version=(3, 6))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules <= {"argparse", "json", "os", "re", "shlex", "shutil", "subprocess", "sys", "time", "typing"}


def test_flags_reach_the_program_as_they_were_given(tmp_path: Path) -> None:
    program = tmp_path / "it's $a program"
    program.write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n')
    program.chmod(0o755)
    shown = submit("--print", "--tasks", "3", "--executable", str(program), "--store", "a 'store'", "--local-copy",
                   "$FAST/${USER_NAME}/it's $(id)", "--", *NASTY, folder=tmp_path)  # fmt: skip
    scripts = shown.stdout.split("# " + str(tmp_path))[1:]
    environment = {**os.environ, "SLURM_ARRAY_TASK_ID": "2", "SLURM_CPUS_PER_TASK": "8", "FAST": "/fast disk", "USER_NAME": "me"}
    script = scripts[0].partition("\n")[2]
    found = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, check=True).stdout.decode().split("\0")
    assert found[:-1] == [
        *NASTY, "--store", str(tmp_path / "a 'store'"), "--stage", "forward", "--task", "2/3", "--local-copy",
        "/fast disk/me/it's $(id)", "--threads", "8",
    ]  # fmt: skip


def without_slurm(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command where commands are found in one folder alone."""
    return subprocess.run([sys.executable, "-I", str(ROOT / "python/saescope/_slurm.py"), *arguments, "--", *FLAGS],
                          cwd=path, env={**os.environ, "PATH": str(path)}, capture_output=True, text=True)  # fmt: skip


def test_what_is_shown_needs_no_slurm_and_leaves_nothing(tmp_path: Path) -> None:
    done = without_slurm(tmp_path, "--print", "--tasks", "16", "--at-once", "4", "--mem=8G", "--time", "10")
    assert done.returncode == 0
    assert done.stdout.count("#SBATCH --array=1-16%4\n") == 2 and done.stdout.count("#SBATCH --mem=8G\n#SBATCH --time 10\n") == 3
    assert list(tmp_path.iterdir()) == []


def test_a_submission_says_how_to_watch_cancel_and_resume(slurm: Path) -> None:
    done = submit("--tasks", "2", "--folder", "my job", "--executable", EXECUTABLE, "--", *FLAGS)
    assert done.returncode == 0, done.stderr
    folder = Path.cwd() / "my job"
    assert done.stdout.splitlines() == [
        "submitted 101 (forward, 2 tasks), 102 (encode, 2 tasks) and 103 (finish)",
        "  watch    squeue --jobs=101,102,103",
        f"           tail -F '{folder}/logs'/*.log",
        "  cancel   scancel 101 102 103",
        f"  resume   {SUBMIT} --resume '{folder}'",
        "           after a failure or a cancellation: what is finished is not done again",
        f"  output   {Path.cwd()}/out/universal.csv",
    ]
    assert "llama_trainer1_layer1" in (folder / "plan.txt").read_text("utf-8")
    assert Path("out/universal.csv").read_text("utf-8").startswith("feature_id")


def test_python_has_the_result_of_a_job_of_the_command_line(slurm: Path) -> None:
    submit("--tasks", "2", "--folder", "job", "--executable", EXECUTABLE, "--", *FLAGS)
    result = saescope.open_job("job").result()
    assert_same(result.universal, Path("out/universal.csv"))
    with pytest.raises(AttributeError, match="no report; it has universal"):
        _ = result.report


def test_a_resumed_job_takes_new_options_and_keeps_its_flags(slurm: Path) -> None:
    submit("--tasks", "2", "--folder", "job", "--time=1", "--executable", EXECUTABLE, "--", *FLAGS)
    assert submit("--resume", "job", "--tasks", "3", "--time=2").returncode == 0
    kept = json.loads(Path("job/job.json").read_text("utf-8"))
    assert kept["tasks"] == 3 and kept["options"] == ["--time=1", "--time=2"] and kept["flags"] == FLAGS
    assert kept["outputs"] == {"universal-output": str(Path.cwd() / "out/universal.csv")}
    assert (slurm / "cancelled").read_text("utf-8") == "101 102 103\n"
    refused = submit("--resume", "job", "--", "--threshold", "0.1")
    assert refused.returncode == 2 and "keeps its flags" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tasks", "2"], "nothing says what to run"),
        (["--", "--analysis", "universal"], "nothing says how many tasks"),
        (["--tasks", "0", "--", *FLAGS], "--tasks: no task would run"),
        (["--tasks", "2", "--at-once", "0", "--", *FLAGS], "--at-once: no task would run"),
        (["--tasks", "2", "--encode-tasks", "0", "--", *FLAGS], "--encode-tasks: no task would run"),
        (["--tasks", "2", "--", *FLAGS, "--stage", "finish"], "--stage: a job's run cannot have this flag"),
        (["--tasks", "2", "--", *FLAGS, "--task=1/2"], "--task: a job's run cannot have this flag"),
        (["--tasks", "2", "--array=1-3", "--", *FLAGS], "--array=1-3: the submission itself gives sbatch this option"),
        (["--tasks", "2", "-d", "afterok:1", "--", *FLAGS], "-d: the submission itself gives sbatch this option"),
        (["--tasks", "2", "--comment=a\nb", "--", *FLAGS], "cannot say this"),
        (["--tasks", "2", "--", "--analysis", "nonsense"], "run_sae_analysis refuses its flags"),
        (["--tasks", "2", "--", *FLAGS, "--no-cache"], "run_sae_analysis refuses its flags"),
        (["--tasks", "2", "--executable", "/nowhere", "--", *FLAGS], "/nowhere: there is no run_sae_analysis"),
        (["--resume", "/nowhere"], "the folder holds no job"),
    ],
)
def test_what_cannot_be_submitted_is_refused(slurm: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str) -> None:
    monkeypatch.setenv("SAESCOPE_EXECUTABLE", EXECUTABLE)
    done = submit(*arguments)
    assert done.returncode == 2 and message in done.stderr
    assert os.listdir(slurm) == [] and os.listdir(".") == []


def test_a_machine_without_slurm_is_told_of_other_engines(tmp_path: Path) -> None:
    (tmp_path / "bsub").write_text("#!/bin/sh\n")
    (tmp_path / "bsub").chmod(0o755)
    done = without_slurm(tmp_path, "--tasks", "2")
    assert done.returncode == 1
    assert "found:    LSF" in done.stderr and "docs/cluster.md" in done.stderr


def test_the_wheels_command_is_the_same(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "saescope", "submit", "--print", "--tasks", "2", "--", *FLAGS], cwd=tmp_path,
                          env=ENVIRONMENT, capture_output=True, text=True)  # fmt: skip
    assert f"exec {EXECUTABLE} \\\n" in done.stdout, done.stderr


def test_the_encoding_is_cut_into_fewer_tasks_unless_another_number_is_given() -> None:
    """Each of them reads most of the store."""
    def arrays(*options: str) -> list[str]:
        shown = submit("--print", "--executable", EXECUTABLE, *options, "--", *FLAGS).stdout
        return re.findall(r"--array=1-(\d+)", shown) + re.findall(r"SLURM_ARRAY_TASK_ID/(\d+)", shown)

    assert arrays("--tasks", "8") == ["8", "8"] * 2
    assert arrays("--tasks", "64") == ["64", "16"] * 2
    assert arrays("--tasks", "64", "--encode-tasks", "32") == ["64", "32"] * 2
