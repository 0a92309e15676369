"""The notebook and the cookbook run as they stand, and the page shows the scripts that run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
from conftest import ENVIRONMENT, EXECUTABLE, PIPELINE, ROOT
from nbclient import NotebookClient

SCRIPTS = sorted((ROOT / "docs/cookbook").glob("*.py"))


@pytest.fixture
def script(demo: Path, tmp_path: Path) -> Path:
    """A folder that looks like the repository to a script, and takes its results."""
    for name in ("demo", "prompts", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def output_of(name: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, str(ROOT / "docs/cookbook" / name)], cwd=folder, env=ENVIRONMENT,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_universal_features_of_ones_own_prompts(script: Path) -> None:
    shown = output_of("universal_features.py", script)
    counts = [int(count) for count in re.findall(r": (\d+) features on at least 90 %", shown)]
    assert len(counts) == 2 and min(counts) >= 5
    assert {path.name for path in (script / "results/own_prompts").iterdir()} == {"universal.csv", "report.html", "summary.txt"}


def test_features_that_separate_two_personas(script: Path) -> None:
    head, columns, *rows = output_of("two_personas.py", script).splitlines()
    assert int(head.split()[0]) >= 5
    assert columns.split()[:3] == ["feature_id", "rate_label", "rate_against"]
    assert float(rows[0].split()[1]) > 0.8 and float(rows[0].split()[2]) < 0.2


def test_ten_features_over_a_set_of_conversations(script: Path) -> None:
    lines = output_of("conversations.py", script).splitlines()
    rows = [line.split() for line in lines if re.match(r"\d", line)]
    assert len(rows) == 10
    assert all(len(row) == 10 for row in rows)  # the feature, and three turns of three conversations
    assert len({value for row in rows for value in row[1:]}) > 30


def test_residuals_for_a_linear_probe(script: Path) -> None:
    accuracies = [float(text) for text in re.findall(r"accuracy ([\d.]+)", output_of("linear_probe.py", script))]
    assert len(accuracies) == 4
    assert min(accuracies) > 0.75


def test_features_into_a_list_on_neuronpedia(script: Path) -> None:
    query = parse_qs(urlsplit(output_of("neuronpedia_lists.py", script).strip()).query)
    assert query["name"] == ["strongest universal features"]
    entries = json.loads(query["features"][0])
    assert len(entries) == 10
    assert {(entry["modelId"], entry["layer"]) for entry in entries} == {("llama3.1-8b-it", "1-resid-post-aa")}
    assert all(entry["index"].isdigit() for entry in entries)


def test_the_cookbook_shows_the_scripts_that_run() -> None:
    page = (ROOT / "docs/cookbook.md").read_text("utf-8")
    shown = re.findall(r"\[cookbook/(\w+\.py)\]\(cookbook/\1\).*?```python\n(.*?)```", page, re.DOTALL)
    assert [name for name, _ in sorted(shown)] == [path.name for path in SCRIPTS]
    for name, text in shown:
        assert text == (ROOT / "docs/cookbook" / name).read_text("utf-8"), name


CLUSTER_SCRIPTS = re.findall(r"```bash\n(.*?)```", (ROOT / "docs/cluster.md").read_text("utf-8"), re.DOTALL)
MANIFEST = (ROOT / "tools/kubernetes/job.yaml").read_text("utf-8")


def engine_scripts() -> dict[str, tuple[str, dict[str, str]]]:
    """For each engine the script of a stage's task, and what its array's variables are in task I of 3."""
    pbs = next(script for script in CLUSTER_SCRIPTS if "#PBS" in script)
    other = next(script for script in CLUSTER_SCRIPTS if script.startswith("#!") and '"$@"' in script)
    arguments = "set -- --stage $STAGE ${TASKS:+--task auto}\n"
    config_map = re.search(r"stage\.sh: \|\n((?:    .*\n)+)", MANIFEST)
    assert config_map is not None
    return {
        "PBS": (pbs, {"PBS_ARRAY_INDEX": "I", "PBS_O_WORKDIR": "."}),
        "LSF": (arguments + other, {"LSB_JOBINDEX": "I", "LSB_JOBINDEX_END": "3", "LSB_JOBINDEX_STEP": "1"}),
        "Grid Engine": (arguments + other, {"SGE_TASK_ID": "I", "SGE_TASK_FIRST": "1", "SGE_TASK_LAST": "3", "SGE_TASK_STEPSIZE": "1"}),
        "Kubernetes": (arguments.replace("auto", "auto/3") + config_map[1], {"JOB_COMPLETION_INDEX": "I-1"}),
    }


@pytest.mark.parametrize("engine", engine_scripts())
def test_an_engines_script_gives_the_table_of_one_run(engine: str, tmp_path: Path) -> None:
    """The engine is played: its variables are set, its folder /shared is another one."""
    script, variables = engine_scripts()[engine]
    script = re.sub(r"/shared(/me)?", str(tmp_path), script)
    program = tmp_path / "bin/run_sae_analysis"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{EXECUTABLE}" "$@" --config "{PIPELINE}/config.toml" --quiet\n')
    program.chmod(0o755)
    (tmp_path / "prompts").symlink_to(PIPELINE / "prompts")
    path = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    for stage in ("forward", "encode", "finish"):
        for number in (1, 2, 3) if stage != "finish" else (0,):
            task = {name: {"I": str(number), "I-1": str(number - 1)}.get(text, text) for name, text in variables.items()} if number else {}
            environment = {**path, "PBS_O_WORKDIR": ".", **task, "STAGE": stage, **({"TASKS": "3"} if number else {})}
            subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, check=True)
    ordinary = ["--analysis", "universal", "--models", "llama", "--prompts-path", "prompts", "--universal-output", "one.csv"]
    subprocess.run([str(program), *ordinary], cwd=tmp_path, check=True)
    assert (tmp_path / "results/universal.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()
    assert len(list(tmp_path.glob("store/jobs/*/encode-*-of-3"))) == 3


def test_scripts_for_clusters_are_sound() -> None:
    assert len(CLUSTER_SCRIPTS) > 5
    for script in CLUSTER_SCRIPTS:
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
        assert done.returncode == 0, script + done.stderr


def test_the_jobs_of_kubernetes_complete_as_many_tasks_as_there_are() -> None:
    numbers = re.findall(r"completions: (\d+)|--task, auto/(\d+)", MANIFEST)
    assert len(numbers) == 4 and len({number for pair in numbers for number in pair if number}) == 1


def test_the_tour_runs_from_prompts_to_a_plot_and_a_report(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "SAESCOPE_EXECUTABLE"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    notebook = nbformat.read(ROOT / "docs/tour.ipynb", as_version=4)
    before = set(os.listdir(ROOT / "docs"))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(ROOT / "docs")}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    images = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(images) == 1
    report = outputs[-1]["data"]["text/html"]
    assert report.startswith("<iframe srcdoc=")
    assert not [output for output in outputs if output.get("name") == "stderr" and "Warning" in output["text"]]
    assert set(os.listdir(ROOT / "docs")) == before


def test_the_stored_tour_is_one_that_ran() -> None:
    """Whoever reads it without running it sees tables and the plot; the report would be as large as all of it."""
    text = (ROOT / "docs/tour.ipynb").read_text("utf-8")
    code = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] for cell in code[1:])
    assert "image/png" in text and "srcdoc" not in text
    assert len(text) < 200_000
    assert not re.search(r'"/(root|home|work|tmp)/', text)
