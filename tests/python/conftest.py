"""What the tests share: the tiny models of tests/goldens/pipeline, the demo model, and the command line to compare with."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = ROOT / "tests/goldens/pipeline"
DEMO_MODEL = Path(
    os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "saescope/demo/SmolLM2-135M-Instruct.Q4_1.gguf"
)

sys.path.insert(0, str(ROOT / "python"))

EXECUTABLE = os.environ.get("SAESCOPE_EXECUTABLE", "")
# Such a process finds the module where this one does.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "python")}


@pytest.fixture(autouse=True)
def own_cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs neither read nor fill the user's activation cache. The demo's model is found through the user's own folder."""
    if "demo" in request.fixturenames:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def config() -> Path:
    """Two tiny models, `llama` and `qwen`, with SAEs of 256 features at the layers 1 and 2."""
    return PIPELINE / "config.toml"


@pytest.fixture
def demo() -> Path:
    """The demo's configuration."""
    if not DEMO_MODEL.exists():
        pytest.skip("the demo model is missing: tools/fetch_demo_model.sh fetches it")
    return ROOT / "demo/demo.toml"


@pytest.fixture
def command_line(tmp_path: Path) -> Callable[..., Path]:
    """Runs the executable as a shell would, in a folder for its files, which it returns."""

    def run(*flags: str | Path) -> Path:
        folder = tmp_path / "command_line"
        folder.mkdir(exist_ok=True)
        command = [EXECUTABLE, *map(str, flags), "--progress", "none"]
        with open(folder / "stdout", "wb") as output:
            subprocess.run(command, cwd=folder, stdout=output, check=True)
        return folder

    return run


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Slurm that runs jobs while they are submitted, and a working folder. `fake_slurm.py` says what its folder is for."""
    for name in ("sbatch", "squeue", "sacct", "scancel"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(ROOT / "tests/python/fake_slurm.py")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    home = tmp_path / "slurm"
    home.mkdir()
    monkeypatch.setenv("FAKE_SLURM", str(home))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return home


def read_texts(path: Path) -> dict[str, list[str]]:
    """The columns of a CSV file, as they are written."""
    with open(path, encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return {name: [row[at] for row in rows] for at, name in enumerate(header)}


def assert_same(frame: pd.DataFrame, path: Path) -> None:
    """The frame has the columns, rows and values of the CSV file, numbers bit by bit."""
    expected = read_texts(path)
    assert list(frame.columns) == list(expected)
    assert len(frame) == len(next(iter(expected.values())))
    for name, texts in expected.items():
        column = frame[name]
        if column.dtype.kind == "f":
            width = {"float32": np.float32, "float64": np.float64}[str(column.dtype)]
            numbers = np.array([width(text or "nan") for text in texts], dtype=width)
            np.testing.assert_array_equal(column.to_numpy().view(f"u{numbers.itemsize}")[~np.isnan(numbers)],
                                          numbers.view(f"u{numbers.itemsize}")[~np.isnan(numbers)], err_msg=name)
            np.testing.assert_array_equal(np.isnan(column.to_numpy()), np.isnan(numbers), err_msg=name)
        elif column.dtype.kind == "i":
            assert column.tolist() == [int(text) for text in texts], name
        else:
            assert column.tolist() == texts, name
