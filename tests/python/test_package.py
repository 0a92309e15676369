"""The package as a whole: what its import costs, its types, its names."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import ENVIRONMENT, ROOT

import saescope

HERE = Path(__file__).parent
MYPY_CACHE = str(Path(sys.prefix) / "mypy_cache")  # what pandas-stubs hold takes seconds to read
TYPED = [str(ROOT / "python/saescope"), str(HERE / "typed_use.py")]


def python(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_import_takes_less_than_a_third_of_a_second_and_no_pandas() -> None:
    script = (
        "import time; begin = time.perf_counter(); import saescope; print(time.perf_counter() - begin);"
        "import sys; print([name for name in ('pandas', 'numpy', 'tqdm', 'safetensors') if name in sys.modules])"
    )
    outputs = [python("-c", script).split("\n") for _ in range(3)]
    assert {output[1] for output in outputs} == {"[]"}
    assert min(float(output[0]) for output in outputs) < 0.3


def test_a_refused_call_with_a_list_needs_no_pandas() -> None:
    script = (
        "import saescope, sys\n"
        "try: saescope.universal(['a', 7])\n"
        "except saescope.InputError: print('pandas' in sys.modules, 'numpy' in sys.modules)"
    )
    assert python("-c", script).split() == ["False", "False"]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["mypy", "--strict", "--python-version", "3.10", "--cache-dir", MYPY_CACHE, *TYPED], id="mypy"),
        pytest.param(["pyright", "-p", str(HERE / "pyrightconfig.json"), "--pythonpath", sys.executable], id="pyright"),
    ],
)
def test_types_are_sound_and_users_calls_are_accepted(arguments: Sequence[str]) -> None:
    python("-m", *arguments)


def test_type_checkers_refuse_what_a_run_would_refuse(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        "import saescope\n"
        "saescope.universal(['a'], treshold=1)\n"
        "saescope.universal(['a'], dtype='fp16')\n"
        "saescope.specific(['a'])\n"
        "saescope.specific(['a'], [('llama', 'x')])\n"
        "saescope.activations(['a'], model='llama')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", MYPY_CACHE, str(tmp_path / "wrong.py")],
        env={**ENVIRONMENT, "MYPYPATH": str(ROOT / "python")}, capture_output=True, text=True,
    )  # fmt: skip
    assert {line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line} == {"2", "3", "4", "5", "6"}


def test_everything_public_is_described() -> None:
    for name in saescope.__all__:
        thing = getattr(saescope, name)
        assert inspect.getdoc(thing), name
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                assert member.startswith("_") or inspect.getdoc(value), f"{name}.{member}"


def test_the_functions_share_their_keywords_and_defaults() -> None:
    universal = inspect.signature(saescope.universal).parameters
    both = inspect.signature(saescope.analyze).parameters
    specific = inspect.signature(saescope.specific).parameters
    assert set(both) == set(universal) | set(specific)
    assert set(universal) - set(specific) == {"models", "trainer", "threshold"}
    for function in (saescope.universal, saescope.specific, saescope.activations, saescope.show_tokens):
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is not parameter.empty:
                assert both[name].default == parameter.default, name


def test_the_version_is_the_installed_ones() -> None:
    assert isinstance(saescope.__version__, str) and saescope.__version__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = saescope.nothing
