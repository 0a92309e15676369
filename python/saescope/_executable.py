"""Where the executable lies that does the work."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator

from saescope._errors import RunError

_NAME = "run_sae_analysis"


def _scripts_folders() -> Iterator[str]:
    yield sysconfig.get_path("scripts")
    # An environment that is layered on another one, as `uv run --with` makes them, and `pip install --prefix`:
    # PREFIX/lib/pythonX.Y/site-packages/saescope.
    package = os.path.dirname(os.path.realpath(__file__))
    yield os.path.normpath(os.path.join(package, "..", "..", "..", "..", "bin"))
    # `pip install --target`
    yield os.path.normpath(os.path.join(package, "..", "bin"))
    yield sysconfig.get_path("scripts", scheme=f"{os.name}_user")  # `pip install --user`
    if sys.executable:
        yield os.path.dirname(sys.executable)


def require() -> str:
    """As `find`; where there is none, a RunError."""
    try:
        return find()
    except FileNotFoundError as error:
        raise RunError("the executable is missing", hint=str(error)) from None


def find() -> str:
    """Path of the executable: what SAESCOPE_EXECUTABLE names, else what was installed with this package, else on PATH.

    Raises FileNotFoundError where there is none.
    """
    named = os.environ.get("SAESCOPE_EXECUTABLE")
    if named:
        if os.access(named, os.X_OK) and os.path.isfile(named):
            return os.path.abspath(named)
        raise FileNotFoundError(f"SAESCOPE_EXECUTABLE names no executable file: {named}")
    folders = list(dict.fromkeys(_scripts_folders()))
    for folder in folders:
        path = os.path.join(folder, _NAME)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    on_path = shutil.which(_NAME)
    if on_path is not None:
        return on_path
    raise FileNotFoundError(
        f"{_NAME} is neither in {', '.join(folders)} nor on PATH: install the package's wheel with pip, or build the "
        "program (`make`) and set SAESCOPE_EXECUTABLE to build/release/run_sae_analysis"
    )
