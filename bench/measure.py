"""Runs a command and measures it from outside: wall time, and peaks of resident and anonymous memory."""
from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_SECONDS = 0.02


@dataclass
class Measurement:
    """One run of a command. Memory in bytes; anonymous memory is what no file backs."""
    wall: float
    peak_resident: int
    peak_anonymous: int
    out: str
    seconds: dict[str, float] = field(default_factory=dict)  # by stage, as the command itself reports them


def _memory(pid: int) -> tuple[int, int]:
    """The resident memory's peak so far and the anonymous memory of now. The kernel's `ru_maxrss` will not do for the
    first: a child starts with its parent's."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # ended meanwhile
        return 0, 0

    def size(name: str) -> int:
        found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) * 1024 if found else 0

    return size("VmHWM"), size("RssAnon")


def run(command: list[str], environment: dict[str, str] | None = None) -> Measurement:
    """Fails loudly where the command fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=err,
                                   env={**os.environ, **(environment or {})})
        peak_resident = peak_anonymous = 0
        while process.poll() is None:
            resident, anonymous = _memory(process.pid)
            peak_resident, peak_anonymous = max(peak_resident, resident), max(peak_anonymous, anonymous)
            time.sleep(SAMPLE_SECONDS)
        wall = time.perf_counter() - start
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{err.read().decode()}")
        return Measurement(wall, peak_resident, peak_anonymous, out.read().decode())


def drop_from_page_cache(files: list[Path]) -> None:
    """Asks the system to forget clean pages of the files, so that the next reader reads the disk."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def bring_into_page_cache(files: list[Path]) -> None:
    for file in files:
        with file.open("rb", buffering=0) as stream:
            while stream.read(1 << 24):
                pass
