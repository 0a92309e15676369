"""`python -m saescope …` is `run_sae_analysis …`."""

import os
import sys

from saescope._executable import find

executable = find()
os.execv(executable, [executable, *sys.argv[1:]])
