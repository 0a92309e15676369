"""What goes wrong says what, where and why, in Python's own terms."""

from __future__ import annotations

import os
import pickle
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import EXECUTABLE, PIPELINE

import saescope
from saescope import _executable

Substitute = Callable[[str], Path]


@pytest.fixture
def substitute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Substitute:
    """Puts a shell script in the executable's place."""

    def put(script: str) -> Path:
        path = tmp_path / "substitute"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("SAESCOPE_EXECUTABLE", str(path))
        return path

    return put


@pytest.mark.parametrize(
    ("call", "where", "what"),
    [
        (lambda c: saescope.universal(["a", ""], config=c), "prompts[1]", "the prompt has no content"),
        (lambda c: saescope.universal([{"content": 3}], config=c), "prompts[0]", "the prompt has no content"),
        (lambda c: saescope.universal([{"label": "x"}], config=c), "prompts[0]", "nothing says what the prompt is"),
        (lambda c: saescope.universal([{"content": {1, 2}}], config=c), "prompts[0]", "cannot be written as JSON"),
        (lambda c: saescope.universal([7], config=c), "prompts[0]", "neither a text nor a dict"),
        (lambda c: saescope.universal({"content": "a"}, config=c), "prompts", "neither a list nor a path"),
        (lambda c: saescope.universal(7, config=c), "prompts", "neither a list nor a path"),
        (lambda c: saescope.universal([], config=c), "prompts", "there is no prompt"),
        (lambda c: saescope.universal("How do you feel?", config=c), "prompts", "the file does not exist"),
        (lambda c: saescope.universal(pd.DataFrame({"x": ["a"]}), config=c), "prompts", "nothing says what the prompt is"),
        (lambda c: saescope.universal(pd.DataFrame({"content": ["a", None]}), config=c), "prompts[1]", "no content"),
        (lambda c: saescope.universal(["\ud800"], config=c), "prompts[0]", "not valid JSON"),
        (lambda c: saescope.universal(["a"], config=c, threshold=2), "--threshold", "the value cannot be used"),
        (lambda c: saescope.universal(["a"], config=c, models="lama"), "--models", "unknown model"),
        (lambda c: saescope.universal(["a"], config=c, cache_limit="x"), "--cache-limit", "the value cannot be used"),
        (lambda c: saescope.universal(["a"], config="nowhere.toml"), "config", "the file does not exist"),
        (lambda c: saescope.universal(["a"], config={"lama": {}}), "config", "the configuration cannot be understood"),
        (lambda c: saescope.universal(["a"], config={"models": {"a": {"layer": [1]}}}), "config", "unknown key"),
        (lambda c: saescope.universal(["a"], config={"models": {"a": {"model": None}}}), "config", "no configuration can hold"),
        (lambda c: saescope.universal(["a"], config=c, contrast="ab"), "contrast", "no pairs of labels"),
        (lambda c: saescope.universal(["a"], config=c, contrast=True), "prompts", "there are no labels to compare"),
        (lambda c: saescope.specific(["a"], [("llama_trainer1_layer1", "x")], config=c), "features[0]", "feature_id"),
        (lambda c: saescope.specific(["a"], [("llama", 1), ("b", 2)], config=c), "features[0]", "source"),
        (lambda c: saescope.specific(["a"], [("a",)], config=c), "features[0]", "the feature cannot be understood"),
        (lambda c: saescope.specific(["a"], {"a": 1}, config=c), "features", "neither a list nor a path"),
        (lambda c: saescope.specific(["a"], pd.DataFrame({"x": [1]}), config=c), "features", "column"),
        (lambda c: saescope.specific(["a"], "nowhere.csv", config=c), "features", "the file does not exist"),
        (lambda c: saescope.activations(["a"], model="llama", layers=99, config=c), "", "layer"),
        (lambda c: saescope.show_tokens(["a"], model="llama", tokens="x", config=c), "--tokens", "unknown token type"),
    ],
)  # fmt: skip
def test_bad_input_is_a_value_error_that_names_the_argument(
    call: Callable[[Path], Any], where: str, what: str, config: Path
) -> None:
    with pytest.raises(ValueError) as caught:
        call(config)
    error = caught.value
    assert isinstance(error, saescope.InputError)
    assert what in error.what + str(error)
    assert where in error.where
    assert "saescope-" not in str(error)  # no temporary folder


def test_errors_carry_all_that_the_executable_says(config: Path) -> None:
    with pytest.raises(saescope.InputError) as caught:
        saescope.universal(["a"], config=config, models="lama")
    error = caught.value
    assert (error.what, error.where, error.expected, error.found) == (
        "unknown model", "--models", "one of llama, qwen", '"lama"'
    )  # fmt: skip
    assert "llama" in error.hint
    assert str(error).startswith("--models: unknown model\n  expected: one of llama, qwen\n  found:    \"lama\"\n  hint:     ")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is saescope.InputError and str(copy) == str(error)


def test_a_failed_run_is_a_runtime_error(substitute: Substitute) -> None:
    substitute("""echo '{"event": "error", "kind": "run", "what": "w", "where": "h", "expected": "e", "found": "f"}' >&2; exit 1""")
    with pytest.raises(RuntimeError) as caught:
        saescope.models()
    error = caught.value
    assert isinstance(error, saescope.RunError)
    assert (error.what, error.where, error.expected, error.found, error.hint) == ("w", "h", "e", "f", "")


def test_an_unknown_keyword_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="treshold"):
        saescope.universal(["a"], treshold=0.5)  # type: ignore[call-arg]


def test_a_killed_process_says_so_and_thinks_of_memory(substitute: Substitute) -> None:
    substitute("kill -9 $$")
    with pytest.raises(saescope.RunError, match="killed by SIGKILL") as caught:
        saescope.models()
    assert "memory" in caught.value.hint
    substitute("kill -SEGV $$")
    with pytest.raises(saescope.RunError, match="killed by SIGSEGV") as caught:
        saescope.models()
    assert caught.value.hint == ""


def test_what_is_said_outside_of_json_is_not_lost(substitute: Substitute) -> None:
    substitute("echo 'error while loading shared libraries: libx.so' >&2; echo '{\"event\": 1' >&2; echo '[]' >&2; exit 127")
    with pytest.raises(saescope.RunError, match="exit code 127") as caught:
        saescope.models()
    assert caught.value.found == "error while loading shared libraries: libx.so\n{\"event\": 1\n[]"


def test_events_and_keys_to_come_are_passed_over(substitute: Substitute) -> None:
    substitute("""echo '{"event": "news", "x": [1]}' >&2; echo '{"x": 1}' >&2
echo '{"event": "stage", "stage": "s", "done": 0, "total": null, "unit": "bytes", "rate": null, "seconds": 0, "ended": false, "new": 1}' >&2
echo '{"name": "a"}'""")
    assert saescope.models()["name"].tolist() == ["a"]


def test_an_interrupted_executable_is_a_keyboard_interrupt(substitute: Substitute) -> None:
    substitute("""echo '{"event": "error", "kind": "interrupted", "what": "interrupted"}' >&2; exit 130""")
    with pytest.raises(KeyboardInterrupt):
        saescope.models()
    substitute("""echo '{"event": "error", "kind": "interrupted", "what": "interrupted"}' >&2; exit 143""")
    with pytest.raises(saescope.RunError, match="interrupted") as caught:
        saescope.models()
    assert caught.value.found == "SIGTERM"


def test_warnings_are_warnings_where_the_user_called(config: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        saescope.universal(["a", "b " * 60], config=config, models="llama", max_tokens=40, skip_long=True)
    own = [warning for warning in caught if warning.category is saescope.SaescopeWarning]
    assert len(own) == 1
    assert own[0].filename == __file__
    assert "prompts[1]" in str(own[0].message) or "prompt" in str(own[0].message)


def test_a_warning_that_is_an_error_ends_the_run(config: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", saescope.SaescopeWarning)
        with pytest.raises(saescope.SaescopeWarning):
            saescope.universal(["a", "b " * 60], config=config, models="llama", max_tokens=40, skip_long=True)


def test_without_an_executable_the_error_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SAESCOPE_EXECUTABLE")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(_executable, "_scripts_folders", lambda: iter([str(tmp_path)]))
    with pytest.raises(saescope.RunError, match="the executable is missing") as caught:
        saescope.models()
    assert "pip" in caught.value.hint and "SAESCOPE_EXECUTABLE" in caught.value.hint
    monkeypatch.setenv("SAESCOPE_EXECUTABLE", str(tmp_path / "none"))
    with pytest.raises(saescope.RunError) as caught:
        saescope.models()
    assert "SAESCOPE_EXECUTABLE names no executable file" in caught.value.hint


def test_the_executable_is_looked_for_where_wheels_put_it_and_then_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("scripts", "path"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run_sae_analysis").symlink_to(EXECUTABLE)
    monkeypatch.setattr(_executable, "_scripts_folders", lambda: iter([str(tmp_path / "scripts")]))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert _executable.find() == os.path.abspath(EXECUTABLE)
    monkeypatch.delenv("SAESCOPE_EXECUTABLE")
    assert _executable.find() == str(tmp_path / "scripts/run_sae_analysis")
    (tmp_path / "scripts/run_sae_analysis").unlink()
    assert _executable.find() == str(tmp_path / "path/run_sae_analysis")


def test_threads_can_run_at_the_same_time(config: Path) -> None:
    barrier = threading.Barrier(3)

    def run(text: str) -> float:
        barrier.wait()
        found = saescope.specific([text], [("llama_trainer1_layer1", 41, "asst")], config=config, report=False)
        return float(found.specific["activation"].iloc[0])

    texts = ["How do you feel?", "Is it raining?", "Hi"]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(run, texts))
    prompts = list(texts)
    alone = saescope.specific(prompts, [("llama_trainer1_layer1", 41, "asst")], config=config, report=False).specific
    assert together == alone["activation"].tolist()


def test_bars_show_the_stages(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saescope.universal(PIPELINE / "prompts", config=config)
    shown = capsys.readouterr().err
    assert "llama: prompts: 100%" in shown and "qwen: prompts: 100%" in shown and "30/30" in shown
    saescope.universal(PIPELINE / "prompts", config=config, progress=False)
    assert capsys.readouterr().err == ""
