"""Jobs on a cluster: submitted, followed and resumed from Python. tests/slurm does the same on a real Slurm."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path

import pytest
from conftest import PIPELINE

import saescope

PROMPTS = PIPELINE / "prompts"
FEATURES = PIPELINE / "features.csv"


def submit_universal(config: Path, **more: object) -> saescope.Job:
    return saescope.submit("universal", PROMPTS, tasks=2, folder="job", config=config, models="llama", **more)  # type: ignore[arg-type]


def test_a_jobs_result_is_the_analysis_and_lies_in_its_folder(slurm: Path, config: Path) -> None:
    prompts = [{"content": "How do you feel?", "label": "self"}, {"content": "Is it going to rain?", "label": "weather"}] * 3
    features = [("llama_trainer1_layer1", 5), ("llama_trainer1_layer1", 7, "asst")]
    job = saescope.submit("both", prompts, features, tasks=3, at_once=2, folder="job", config=config, models="llama",
                          contrast=True, contrast_q=1, token_activations=True, record_prompts=True)  # fmt: skip
    found = job.wait(progress=False)
    here = saescope.analyze(prompts, features, config=config, models="llama", contrast=True, contrast_q=1, token_activations=True,
                            record_prompts=True)  # fmt: skip
    for table in ("universal", "specific", "contrast", "active_prompts"):
        assert getattr(found, table).equals(getattr(here, table)), table
    assert found.token_activations["tokens"].tolist() == here.token_activations["tokens"].tolist()
    assert "universal  llama_trainer1_layer1" in found.summary
    assert job.folder == Path.cwd() / "job"
    assert {"universal.csv", "report.html", "prompts.jsonl", "features.csv", "job.json", "logs"} <= set(os.listdir("job"))
    assert set(os.listdir(".")) == {"job", "saescope-store"}


def test_another_session_finds_the_job_by_its_folder(slurm: Path, config: Path) -> None:
    submit_universal(config)
    job = saescope.open_job("job")
    assert len(job.result().universal) > 300
    assert job.status()[["stage", "tasks", "completed", "failed"]].values.tolist() == [
        ["forward", 2, 2, 0], ["encode", 2, 2, 0], ["finish", 1, 1, 0],
    ]  # fmt: skip


def test_a_configuration_given_as_a_dict_means_the_same_on_the_nodes(slurm: Path) -> None:
    entry = {"model": os.path.relpath(PIPELINE / "../tiny/llama_untied_rope"), "sae_dir": os.path.relpath(PIPELINE / "saes/llama"),
             "sae_path": "resid_post_layer_{layer}/trainer_{trainer}", "trainer": 1, "layers": [1], "tokens": {"last": -1}}  # fmt: skip
    job = saescope.submit("universal", ["Hi", "Ho"], tasks=2, config={"models": {"mine": entry}})
    assert set(job.wait(progress=False).universal["source"]) == {"mine_trainer1_layer1"}


def test_options_of_sbatch_come_from_a_dict(slurm: Path, config: Path) -> None:
    job = submit_universal(config, sbatch={"partition": "cpu", "cpus_per_task": 8, "exclusive": True, "qos": None, "requeue": False})
    for stage in ("forward", "encode", "finish"):
        lines = (job.folder / f"{stage}.sh").read_text("utf-8").splitlines()
        assert [line for line in lines if line.startswith("#SBATCH")][-3:] == [
            "#SBATCH --partition=cpu", "#SBATCH --cpus-per-task=8", "#SBATCH --exclusive",
        ]  # fmt: skip


def test_what_the_executable_refuses_is_not_submitted(slurm: Path, config: Path) -> None:
    with pytest.raises(saescope.InputError, match="content") as error:
        saescope.submit("universal", ["a", "b", ""], tasks=2, folder="job", config=config)
    assert error.value.where == "prompts[2]"
    with pytest.raises(saescope.InputError, match="no task would run"):
        saescope.submit("universal", ["a"], tasks=0, folder="job", config=config)
    with pytest.raises(saescope.InputError, match="gives sbatch this option"):
        submit_universal(config, sbatch={"array": "1-3"})
    assert os.listdir(slurm) == [] and not os.path.exists("job")


def test_a_folder_in_use_is_refused(slurm: Path, config: Path) -> None:
    submit_universal(config)
    with pytest.raises(saescope.InputError, match="not empty"):
        submit_universal(config)
    with pytest.raises(saescope.InputError, match="holds no job"):
        saescope.open_job(slurm)


def test_without_slurm_an_error_says_so(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(saescope.RunError, match="no sbatch on this machine"):
        submit_universal(config)
    assert os.listdir(tmp_path) == []


def test_jobs_before_one_that_sbatch_refuses_are_cancelled(slurm: Path, config: Path) -> None:
    (slurm / "refuse-finish").touch()
    with pytest.raises(saescope.RunError, match="refuses the job of the stage finish") as error:
        submit_universal(config)
    assert "Invalid qos specification" in error.value.found and "cancelled" in error.value.hint
    assert (slurm / "cancelled").read_text("utf-8") == "101 102\n"


def test_a_failed_task_ends_the_waiting_with_its_log_and_resume_goes_on(slurm: Path, config: Path) -> None:
    (slurm / "fail-encode").touch()
    job = submit_universal(config)
    with pytest.raises(saescope.RunError, match="the job ended in the stage encode") as error:
        job.wait(progress=False)
    assert "1 COMPLETED, 1 FAILED (NonZeroExitCode)\nout of luck" in error.value.found
    assert job.status()["detail"].tolist()[2] == "1 CANCELLED (DependencyNeverSatisfied)"
    with pytest.raises(saescope.RunError, match="has not finished"):
        job.result()
    (slurm / "fail-encode").unlink()
    job.resume(sbatch={"time": "2:00:00"})
    assert len(job.wait(progress=False).universal) > 300
    assert "#SBATCH --time=2:00:00" in (job.folder / "forward.sh").read_text("utf-8")
    assert json.loads((job.folder / "job.json").read_text("utf-8"))["ids"] == {"forward": "104", "encode": "105", "finish": "106"}


def test_a_waiting_job_can_be_cancelled(slurm: Path, config: Path) -> None:
    (slurm / "hold").touch()
    job = submit_universal(config)
    assert job.status()["pending"].tolist() == [2, 2, 1]
    assert job.status()["detail"][0] == "2 PENDING (Resources)"
    job.cancel()
    assert job.status()["failed"].tolist() == [2, 2, 1]
    with pytest.raises(saescope.RunError, match="stage forward"):
        job.wait(progress=False)


def test_tasks_that_slurm_has_forgotten_are_known_by_accounts_or_by_later_stages(slurm: Path, config: Path) -> None:
    (slurm / "hold").touch()
    job = submit_universal(config)
    (slurm / "jobs.json").write_text(json.dumps({"102": [["1", "RUNNING", "None"]], "103": [["N/A", "PENDING", "Dependency"]]}))
    assert job.status()[["pending", "running", "completed", "failed"]].values.tolist() == [[0, 0, 2, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    (slurm / "accounts").write_text("101_1|COMPLETED\n101_2|COMPLETED\n102_1|PENDING\n102_2|CANCELLED by 1000\n102_[3-9%2]|PENDING\n")
    assert job.status()[["pending", "running", "completed", "failed"]].values.tolist() == [[0, 0, 2, 0], [0, 1, 0, 1], [1, 0, 0, 0]]


def test_a_silent_controller_ends_no_waiting(slurm: Path, config: Path) -> None:
    job = submit_universal(config)
    (slurm / "silent").touch()
    with pytest.raises(saescope.RunError, match="Slurm does not answer"):
        job.status()
    assert len(job.wait().universal) > 300


def test_a_job_that_slurm_has_forgotten_still_has_its_result(slurm: Path, config: Path) -> None:
    job = submit_universal(config)
    (slurm / "jobs.json").write_text("{}")
    assert job.status()["completed"].tolist() == [2, 2, 1]
    assert len(job.wait().universal) > 300


def test_submit_has_the_keywords_of_analyze(config: Path) -> None:
    own = {"analysis", "tasks", "encode_tasks", "at_once", "sbatch", "folder", "local_copy"}
    analyze = inspect.signature(saescope.analyze).parameters
    submit = inspect.signature(saescope.submit).parameters
    assert set(submit) - own == set(analyze) - {"cache", "cache_limit", "progress"}
    assert all(submit[name].default == analyze[name].default for name in set(submit) - own)
