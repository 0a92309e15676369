"""Calls as users with a type checker make them: what pyright and mypy must accept, and what types they must see."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import saescope


def analyses(frame: pd.DataFrame) -> None:
    result: saescope.Result = saescope.universal(["a", {"content": "b", "label": "c"}], models="llama", layers=[11, 15])
    table: pd.DataFrame = result.universal
    saescope.specific(frame, table, token_activations=True, contrast=[("A", "B")])
    saescope.specific(frame["content"], [("llama_trainer1_layer11", 5), ("llama_trainer1_layer11", 6, "asst")], contrast=True)
    saescope.specific(Path("prompts"), result, contrast=("A", "B"), dtype="fp32")
    saescope.analyze("prompts.jsonl", config={"models": {"m": {"layers": [1]}}}, memory_limit="8GiB")
    conversation = [{"role": "user", "content": "How do you feel?"}]
    saescope.analyze([{"messages": conversation, "label": None}], None)
    saescope.analyze([conversation])
    folder: Path = result.save("results")
    page: Path = result.report.save(folder / "report.html")
    print(page, result.summary.upper())


def residuals() -> NDArray[np.float32]:
    found = saescope.activations((text for text in "abc"), model="llama", layers=11, tokens="asst")
    rows: NDArray[np.int64] = found.prompt_idx
    return found[11, "asst"][rows]


def looks() -> list[pd.DataFrame]:
    return [saescope.models(), saescope.show_tokens(["a"], model=Path("model.gguf"))]


def jobs(frame: pd.DataFrame) -> pd.DataFrame:
    job: saescope.Job = saescope.submit("universal", frame, tasks=16, at_once=4, sbatch={"partition": "cpu", "mem": "8G"})
    saescope.submit("both", ["a"], [("llama_trainer1_layer11", 5)], tasks=2, folder=Path("job"), store="store", local_copy="$TMPDIR")
    job.resume(sbatch={"time": "4:00:00", "exclusive": True})
    found: saescope.Result = saescope.open_job(job.folder).wait(progress=False, every=60)
    job.cancel()
    print(job.status(), job.result().summary)
    return found.universal


def failures() -> str:
    try:
        saescope.universal([])
    except saescope.InputError as error:
        refused: ValueError = error
        return f"{refused}: {error.where} {error.expected} {error.found} {error.hint}"
    except saescope.RunError as error:
        failed: RuntimeError = error
        return str(failed)
    return saescope.__version__
