"""The two programs under comparison as functions: a workload and settings in, a Measurement out."""
from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path

from measure import Measurement, run
from workload import Workload

BENCH = Path(__file__).resolve().parent


def run_ours(executable: Path, workload: Workload, *extra: str, analysis: str = "universal",
             prompts: Path | None = None, environment: dict[str, str] | None = None) -> Measurement:
    """One run of run_sae_analysis; without `environment` on a cache of its own, so that nothing comes from earlier."""
    with tempfile.TemporaryDirectory() as scratch:
        outputs = []
        if analysis in ("universal", "both"):
            outputs += ["--universal-output", f"{scratch}/universal.csv"]
        if analysis in ("specific", "both"):
            outputs += ["--features-csv", str(workload.features), "--specific-output", f"{scratch}/specific.csv"]
        measured = run([executable, "--config", workload.config, "--prompts-path", prompts or workload.prompts,
                        "--analysis", analysis, *outputs, "--progress", "none", *extra], environment)
        measured.bytes = {path.name: path.read_bytes() for path in sorted(Path(scratch).glob("*"))}
    times = re.search(r"^time: (.*); peak memory", measured.out, re.MULTILINE)[1]
    measured.seconds = {name: float(value) for name, value in re.findall(r"(\w+) ([\d.]+) s", times)}
    prefixes = re.search(r"(\d+) tokens, (\d+) distinct prefixes", measured.out)
    measured.tokens, measured.prefixes = int(prefixes[1]), int(prefixes[2])
    return measured


def run_pytorch(workload: Workload, structure: str, dtype: str, prompts: Path | None = None) -> Measurement:
    """One run of the PyTorch script. @param dtype what its model computes in, "bfloat16" or "float32"."""
    with tempfile.TemporaryDirectory() as scratch:
        measured = run([sys.executable, BENCH / "pytorch_run.py", "--structure", structure, "--model", workload.model,
                        "--saes", workload.saes, "--layers", ",".join(map(str, workload.tapped)),
                        "--tokens", json.dumps(workload.tokens), "--prompts", prompts or workload.prompts,
                        "--output", f"{scratch}/universal.csv", "--dtype", dtype])
    measured.seconds = json.loads(measured.out.splitlines()[-1])["seconds"]
    return measured
