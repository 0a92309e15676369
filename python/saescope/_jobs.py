"""A run on a cluster: submitted once, followed from any session."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saescope import _queue, _slurm
from saescope._errors import InputError, RunError, SaescopeError
from saescope._result import Result

if TYPE_CHECKING:
    import pandas as pd
    from tqdm import tqdm

_PHASES = ("pending", "running", "completed", "failed")
_GRACE = 60  # seconds after which a file that another node wrote is visible here
_FIRST_PAUSE = 1.0
_LAST_LINES = 20

# What Result calls its files, and the flags that say where they lie.
_OUTPUT_OF = {
    "universal.csv": "universal-output",
    "specific.csv": "specific-output",
    "specific_activeprompts.jsonl": "record-prompts",
    "contrast.csv": "contrast-output",
    "tokens.jsonl": "token-activations",
    "report.html": "report",
}


class Job:
    """A run in three jobs of Slurm: forward and encode, which are arrays of tasks, and finish, which writes the outputs.

    `saescope.submit` makes one, `saescope.open_job` finds it again. It goes on without this object and this process.

    Attributes
    ----------
    folder : Path
        The job's folder: scripts, `logs`, `job.json` and, of a job that `submit` made, the outputs.
    """

    def __init__(self, job: _slurm.Job) -> None:
        self._job = job
        self.folder = Path(job.folder)

    def __repr__(self) -> str:
        ids = ", ".join(f"{stage} {number}" for stage, number in self._job.ids.items())
        return f"Job({str(self.folder)!r}: {ids})"

    def status(self) -> pd.DataFrame:
        """What Slurm says of each stage.

        Returns
        -------
        DataFrame
            A row for each stage. Columns: `stage`, `job` (its id), `tasks` (how many there are), `pending`, `running`, `completed`,
            `failed` (how many of them are), `detail` (their states and reasons in Slurm's words). Slurm forgets tasks some minutes
            after their end, unless it keeps accounts: those count nowhere, but as completed where a later stage has begun.

        Raises
        ------
        RunError
            Slurm does not answer.
        """
        import pandas as pd

        table: pd.DataFrame = pd.DataFrame(self._stages())
        return table

    def wait(self, *, progress: bool = True, every: float = 30.0) -> Result:
        """Waits until the job has ended. An interruption ends the waiting, not the job.

        Parameters
        ----------
        progress
            Whether bars are shown, one for each stage.
        every
            Seconds between two questions to Slurm. The first ones come faster.

        Returns
        -------
        Result
            As `result`.

        Raises
        ------
        RunError
            A task failed or was cancelled; the error has the last lines of its log. `resume` goes on.
        """
        bars = _Bars(progress)
        pause = min(_FIRST_PAUSE, every)
        try:
            while not self._is_finished():
                stages = self._stages_if_any()
                bars.show(stages)
                if stages and not any(stage["pending"] or stage["running"] for stage in stages):
                    self._require_end(stages)
                    break
                time.sleep(pause)
                pause = min(1.5 * pause, every)
            bars.fill()
        finally:
            bars.close()
        return self.result()

    def result(self) -> Result:
        """What the run found.

        Raises
        ------
        RunError
            The job has not finished.
        """
        if not self._is_finished():
            raise RunError("the job has not finished", str(self.folder), hint=".wait() waits, .status() says how far it is")
        return Result(_JobFiles(self._job))

    def cancel(self) -> None:
        """Cancels what waits or runs. `resume` goes on."""
        _slurm.cancel(self._job)

    def resume(self, *, sbatch: Mapping[str, str | int | bool | None] | None = None) -> None:
        """Submits the job again. What is finished is not done again; what is left of the former jobs is cancelled.

        Parameters
        ----------
        sbatch
            Options of sbatch that count before those of the submission, such as more time.

        Raises
        ------
        InputError, RunError
            As `submit`.
        """
        self._job.options += options_of(sbatch)
        with refusals():
            _slurm.check_options(self._job)
            _slurm.resume(self._job)

    def _is_finished(self) -> bool:
        try:
            said = os.path.getsize(self._job.summary()) > 0
        except OSError:
            return False
        return said and all(map(os.path.exists, self._job.outputs().values()))

    def _stages(self) -> list[dict[str, Any]]:
        ids = self._job.ids
        found = _queue.tasks(list(ids.values()))
        rows: list[dict[str, Any]] = []
        begun = self._is_finished()  # a later stage, or the outputs are there
        for stage in reversed(_slurm.STAGES):
            of_stage = [task for task in found if task.job == ids[stage]]
            count = Counter(task.phase for task in of_stage)
            number = self._job.tasks_of(stage)
            if begun:
                count["completed"] += number - len(of_stage)
            begun = begun or count["running"] + count["completed"] > 0
            row = {"stage": stage, "job": ids[stage], "tasks": number, **{phase: count[phase] for phase in _PHASES}}
            rows.insert(0, {**row, "detail": _detail(of_stage)})
        return rows

    def _stages_if_any(self) -> list[dict[str, Any]]:
        """Nothing where Slurm does not answer: a controller that starts again is no reason to stop waiting."""
        try:
            return self._stages()
        except RunError:
            return []

    def _require_end(self, stages: list[dict[str, Any]]) -> None:
        """After the last task has ended: waits for the outputs to appear, or raises what went wrong."""
        failed = any(stage["failed"] for stage in stages)
        until = time.monotonic() + _GRACE
        while not failed and not self._is_finished() and time.monotonic() < until:
            time.sleep(_FIRST_PAUSE)
        if self._is_finished():
            return
        stopped = next((stage for stage in stages if stage["failed"]), stages[-1])
        raise RunError(
            f"the job ended in the stage {stopped['stage']}",
            str(self.folder),
            expected="every task COMPLETED",
            found="\n".join([stopped["detail"] or "Slurm has forgotten the job", *self._last_lines(stopped)]),
            hint=".resume() goes on: what is finished is not done again",
        )

    def _last_lines(self, stage: dict[str, Any]) -> list[str]:
        """The end of the log of the stage's first task that failed."""
        tasks = _queue.tasks([stage["job"]])
        number = next((task.number for task in tasks if task.phase == "failed"), "")
        try:
            text = Path(self._job.log(stage["stage"], number)).read_text("utf-8", "replace")
        except OSError:
            return []
        return text.splitlines()[-_LAST_LINES:]


def open_job(folder: str | os.PathLike[str]) -> Job:
    """The job of a folder that `saescope.submit` or the command `submit` made, from whatever process.

    Raises
    ------
    InputError
        The folder holds no job.
    """
    with refusals():
        return Job(_slurm.Job.load(os.fspath(folder)))


def options_of(sbatch: Mapping[str, str | int | bool | None] | None) -> list[str]:
    """The command line of options that are given as a dict: {"cpus_per_task": 8, "exclusive": True}."""
    options: list[str] = []
    for name, value in (sbatch or {}).items():
        option = "--" + name.lstrip("-").replace("_", "-")
        if value is True:
            options.append(option)
        elif value is not None and value is not False:
            options.append(f"{option}={value}")
    return options


@contextmanager
def refusals() -> Generator[None, None, None]:
    """Makes what a submission refuses an error of this package."""
    try:
        yield
    except _slurm.SubmissionError as error:
        kind: type[SaescopeError] = InputError if error.user else RunError
        raise kind(error.what, error.where, error.expected, error.found, error.hint) from None


def _detail(tasks: list[_queue.Task]) -> str:
    """Such as "2 COMPLETED, 1 PENDING (Resources)"."""
    said = Counter(
        f"{task.state} ({task.reason})" if task.reason and task.phase != "completed" else task.state for task in tasks
    )
    return ", ".join(f"{number} {text}" for text, number in said.items())


class _JobFiles:
    """The files of a finished job, wherever its flags put them."""

    def __init__(self, job: _slurm.Job) -> None:
        self._job = job
        self._outputs = job.outputs()

    def path(self, name: str) -> str:
        return self._outputs.get(_OUTPUT_OF[name], os.path.join(self._job.folder, name))

    def printed(self) -> Iterator[str]:
        with open(self._job.summary(), encoding="utf-8") as file:
            yield from file


class _Bars:
    """A bar for each stage: how many of its tasks are done."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._bars: list[tqdm[Any]] = []

    def show(self, stages: list[dict[str, Any]]) -> None:
        if not self._shown or not stages:
            return
        if not self._bars:
            from tqdm.auto import tqdm

            self._bars = [tqdm(total=row["tasks"], desc=row["stage"], unit="task") for row in stages]
        self._update([row["completed"] for row in stages])

    def fill(self) -> None:
        """All that was shown is done."""
        self._update([int(bar.total or 0) for bar in self._bars])

    def _update(self, done: list[int]) -> None:
        for bar, number in zip(self._bars, done):
            bar.update(number - bar.n)

    def close(self) -> None:
        for bar in self._bars:
            bar.close()
