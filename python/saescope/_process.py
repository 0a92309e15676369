"""Runs the executable and follows what it says on its standard error: a JSON object on each line."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any, TypeAlias, cast

from saescope import _executable
from saescope._errors import InputError, RunError, SaescopeError, warn

if TYPE_CHECKING:
    from tqdm import tqdm

_log = logging.getLogger("saescope")

Event: TypeAlias = "dict[str, Any]"

# Python in between asks the kernel to end the process together with the thread that waits for it (PR_SET_PDEATHSIG), then
# becomes the executable. The request could be made between fork and exec, but no Python code is safe there in a process
# with threads.
_LAUNCHER = """
import os, sys
try:
    import ctypes
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
except (ImportError, OSError, AttributeError):
    pass
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""

_PATIENCE = 0.3  # seconds in which a run may end by itself after each signal
_KEPT_LINES = 20  # of what was no JSON


def run(flags: Sequence[str], output: str, *, progress: bool, translate: Callable[[str], str]) -> None:
    """Runs the executable to its end.

    Parameters
    ----------
    flags
        Its command line.
    output
        The file that gets its standard output.
    progress
        Whether bars are shown.
    translate
        Puts the user's names in place of temporary files' in what the executable says.

    Raises
    ------
    InputError, RunError
        As the executable says.
    KeyboardInterrupt
        Also where the executable alone was interrupted. It has ended then, as after any other exception.
    """
    executable = _executable.require()
    command = [executable, *flags, "--progress", "json"]
    if sys.executable and not getattr(sys, "frozen", False):
        command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]
    with open(output, "wb") as stdout:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.PIPE,
                env={"SAESCOPE_PYTHON": sys.executable, **os.environ},  # whose PyTorch --device cuda computes with
            )
        except OSError as error:
            raise RunError("the executable cannot be started", executable, found=str(error)) from error
    events = _Events(progress, translate)
    try:
        assert process.stderr is not None
        events.follow(process.stderr)
        exit_code = process.wait()
    except BaseException:
        _end(process)
        raise
    finally:
        events.close()
        if process.stderr is not None:
            process.stderr.close()
    if exit_code != 0:
        raise _failure(exit_code, events)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process within a second. Its first signal asks it to stop between two blocks of work, its second at once."""
    try:
        for number in (signal.SIGINT, signal.SIGINT):
            process.send_signal(number)
            try:
                process.wait(_PATIENCE)
                return
            except subprocess.TimeoutExpired:
                pass
    finally:  # also where the user interrupts again
        if process.poll() is None:
            process.kill()
        process.wait()


def _failure(exit_code: int, events: _Events) -> BaseException:
    if exit_code < 0:
        return _killed(-exit_code, events.other_lines)
    if events.error is None:
        return RunError(f"the executable ended with exit code {exit_code}", found="\n".join(events.other_lines))
    kind = events.error.get("kind")
    if kind == "interrupted":
        if exit_code == 128 + signal.SIGINT:
            return KeyboardInterrupt()
        return RunError("the run was interrupted by a signal to its process", found=_signal_name(exit_code - 128))
    error: type[SaescopeError] = InputError if kind == "input" else RunError
    texts = {key: events.error.get(key, "") for key in ("what", "where", "expected", "found", "hint")}
    return error(**texts)


def _killed(number: int, lines: Sequence[str]) -> RunError:
    hint = ""
    if number == signal.SIGKILL:
        hint = "the system does this where memory runs out: a lower memory_limit or batch_tokens may help"
    return RunError(f"the executable was killed by {_signal_name(number)}", found="\n".join(lines), hint=hint)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class _Events:
    """Shows what the executable says: stages as bars, warnings as warnings, the rest in the log `saescope`."""

    def __init__(self, progress: bool, translate: Callable[[str], str]) -> None:
        self.error: Event | None = None
        self.other_lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._progress = progress
        self._translate = translate
        self._stage = ""
        self._bar: tqdm[Any] | None = None

    def follow(self, lines: IO[bytes]) -> None:
        for line in lines:
            text = line.decode("utf-8", "replace").rstrip("\n")
            event = _parse(text)
            if event is None:
                self.other_lines.append(text)  # such as the dynamic linker's reason to start nothing
                continue
            event = {key: self._translate(value) if isinstance(value, str) else value for key, value in event.items()}
            self._handle(event)

    def _handle(self, event: Event) -> None:
        name = event.get("event")
        if name == "stage" and self._progress:
            self._show(event)
        elif name == "info":
            _log.info("%s", event.get("message"))
        elif name == "warning":
            warn(str(event.get("message")))
        elif name == "error":
            self.error = event

    def _show(self, event: Event) -> None:
        if self._bar is None or event["stage"] != self._stage:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # in a notebook without ipywidgets bars are text, which is no reason to warn
                from tqdm.auto import tqdm

            self.close()
            self._stage = event["stage"]
            in_bytes = event["unit"] == "bytes"
            self._bar = tqdm(
                total=event["total"], desc=self._stage, unit="B" if in_bytes else "it", unit_scale=in_bytes
            )
        self._bar.update(event["done"] - self._bar.n)
        if event["ended"]:
            self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _parse(line: str) -> Event | None:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return cast("Event", event) if isinstance(event, dict) else None
