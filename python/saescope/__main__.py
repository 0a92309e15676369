"""`python -m saescope …` is `run_sae_analysis …`, `python -m saescope submit …` submits it to a cluster."""

import os
import sys

from saescope import _slurm
from saescope._executable import find

executable = find()
if sys.argv[1:2] == ["submit"]:
    sys.exit(_slurm.main(sys.argv[2:], executable))
os.execv(executable, [executable, *sys.argv[1:]])
