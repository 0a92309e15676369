"""Submits analyses to a cluster."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from saescope import _executable, _slurm
from saescope._analyses import add_analysis
from saescope._errors import InputError
from saescope._jobs import Job, options_of, refusals
from saescope._run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from saescope._analyses import Contrast
    from saescope._inputs import Config, Features, Path, Prompts


def submit(
    analysis: Literal["universal", "specific", "both"],
    prompts: Prompts,
    features: Features | None = None,
    *,
    tasks: int,
    encode_tasks: int | None = None,
    at_once: int | None = None,
    sbatch: Mapping[str, str | int | bool | None] | None = None,
    store: str | os.PathLike[str] | None = None,
    folder: str | os.PathLike[str] | None = None,
    local_copy: str | None = None,
    models: str | Sequence[str] | None = None,
    layers: int | Sequence[int] | None = None,
    trainer: int | str | None = None,
    tokens: str | Sequence[str] | None = None,
    threshold: float = 0.3,
    activation_threshold: float = 0.01,
    token_activations: bool = False,
    record_prompts: bool = False,
    contrast: Contrast | None = None,
    contrast_q: float | None = None,
    descriptions: Path | None = None,
    pt_descriptions: Path | None = None,
    report: bool = True,
    config: Config | None = None,
    model: str | os.PathLike[str] | None = None,
    sae: str | os.PathLike[str] | None = None,
    content_key: str | None = None,
    max_tokens: int | None = None,
    skip_long: bool = False,
    dtype: Literal["bf16", "fp32"] = "bf16",
    device: str | None = None,
    threads: int | None = None,
    memory_limit: int | str | None = None,
    batch_tokens: int | None = None,
    store_dtype: Literal["bf16", "fp32"] | None = None,
    offline: bool = False,
) -> Job:
    """Submits an analysis to Slurm as job arrays, and returns at once. It gives the bytes of the same analysis on one machine.

    `universal` and `specific` describe the keywords that are not described here. Prompts, features and configuration that are
    given as objects are written into the job's folder, where the outputs will lie, too.

    Parameters
    ----------
    analysis
        "universal", "specific" or "both".
    prompts
        As for `universal`. A file is read by every task: it must stay as it is until the job has finished.
    features
        As for `specific`; "universal" has none.
    tasks
        How many tasks the forward pass is cut into.
    encode_tasks
        How many the encoding is cut into. None: as many, but at most 16, since each of them reads most of the store.
    at_once
        How many of them run at the same time, at most. None: as many as the cluster lets.
    sbatch
        Options of sbatch for each task: ``{"partition": "cpu", "cpus_per_task": 16, "mem": "32G", "time": "4:00:00"}``.
    store
        A folder that all nodes see, for activations and finished parts. Jobs may share one; what it has is not computed again. None:
        "saescope-store" in the working folder.
    folder
        The job's folder, which all nodes see. None: "saescope-job-TIME" in the working folder.
    local_copy
        A folder of each node to which the model's files are copied once, such as "$TMPDIR": variables are the node's.
    threads
        Threads of a task. None: the processors that Slurm gives it.

    Returns
    -------
    Job
        Which waits, tells how far it is, cancels, resumes, and has the result.

    Raises
    ------
    InputError
        What was given cannot be used; nothing was submitted.
    RunError
        Slurm or the executable is missing, or sbatch refuses the job.
    """
    given = dict(locals())
    for name in ("analysis", "tasks", "encode_tasks", "at_once", "sbatch", "store", "folder", "local_copy"):
        del given[name]
    where = _new_folder(folder)
    run = Run(where)
    try:
        with refusals():
            _slurm.require_slurm()
            add_analysis(run, analysis, given)
            job = _slurm.Job(where, _executable.require(), run.flags, tasks)
            job.encode_tasks = encode_tasks
            job.at_once = at_once
            job.local_copy = local_copy
            job.options = options_of(sbatch)
            if store is not None:
                job.store = os.path.abspath(os.path.expanduser(store))
            _slurm.check_options(job)
            run.look(job.store, run.path("plan.txt"))
            _slurm.submit(job)
    except BaseException:
        shutil.rmtree(where, ignore_errors=True)
        raise
    return Job(job)


def _new_folder(folder: str | os.PathLike[str] | None) -> str:
    """Makes the job's folder."""
    path = os.path.abspath(os.path.expanduser(folder or time.strftime("saescope-job-%Y%m%d-%H%M%S")))
    if os.path.exists(path) and (not os.path.isdir(path) or os.listdir(path)):
        raise InputError("the job's folder is not empty", "folder", "a new or empty folder", path, "open_job opens the job of a folder")
    os.makedirs(path, exist_ok=True)
    return path
