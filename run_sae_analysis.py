#!/usr/bin/env python3
"""Hands its arguments to the executable `run_sae_analysis`, which it builds on first use.

The environment variable SAESCOPE_EXECUTABLE names another build of it.
"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent
BUILT = ROOT / "build" / "release" / "run_sae_analysis"
EXECUTABLE = pathlib.Path(os.environ.get("SAESCOPE_EXECUTABLE", BUILT))

if __name__ == "__main__":
    if not EXECUTABLE.exists():
        print("building run_sae_analysis (first use) …", file=sys.stderr)
        built = subprocess.run(["make", "-C", str(ROOT), "build"], stdout=sys.stderr)
        if built.returncode != 0:
            sys.exit("error: the build failed; run `make` in the repository to see why")
    os.execv(EXECUTABLE, [str(EXECUTABLE), *sys.argv[1:]])
