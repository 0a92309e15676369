"""What the figures were measured on, and how a smaller processor is forced on every program under comparison."""
from __future__ import annotations

import os
import re
from pathlib import Path

# For each instruction set: the variables that keep the programs and their libraries from larger ones. "native" forces nothing.
FORCED = {
    "native": {},
    "avx2": {
        "SAESCOPE_MAX_CPU_ISA": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",  # oneDNN, ours and PyTorch's own
        "DNNL_MAX_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    },
}
TOLD = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16", "sve")


def force(isa: str) -> None:
    """For this process's children, and for libraries that it has not loaded yet."""
    os.environ.update(FORCED[isa])


def describe(isa: str) -> str:
    """One line: the processor's name, those of its instruction sets that count, its cores, what is forced."""
    text = Path("/proc/cpuinfo").read_text()

    def field(pattern: str, otherwise: str) -> str:
        found = re.search(rf"^(?:{pattern})\s*:\s*(.*)$", text, re.MULTILINE)
        return found[1] if found else otherwise

    flags = field("flags|Features", "").split()
    family = "/".join(field(name, "?") for name in ("cpu family", "model"))
    sets = " ".join(flag for flag in TOLD if flag in flags)
    forced = "" if isa == "native" else f"; forced: {isa}"
    name = field("model name|CPU part", "unknown processor")
    return f"{name} (family/model {family}), {sets}, {len(os.sched_getaffinity(0))} cores{forced}"
