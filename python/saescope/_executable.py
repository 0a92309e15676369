"""Where the executable lies that was installed with this package."""

import os
import sys
import sysconfig
from typing import Iterator

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


def find() -> str:
    """Path of the executable: the one that SAESCOPE_EXECUTABLE names, else the one of this package's wheel.

    Raises FileNotFoundError where there is none.
    """
    named = os.environ.get("SAESCOPE_EXECUTABLE")
    if named:
        return named
    folders = list(dict.fromkeys(_scripts_folders()))
    for folder in folders:
        path = os.path.join(folder, _NAME)
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(f"{_NAME} is in none of {', '.join(folders)}; SAESCOPE_EXECUTABLE can name it (Python: {sys.executable})")
