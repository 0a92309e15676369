"""Sparse autoencoder features of chat models at the generation prompt, from Python.

A process of the executable `run_sae_analysis` does the work; its tables come back as DataFrames::

    import saescope

    result = saescope.universal(["How do you feel?", "Is it going to rain?"], models="llama")
    result.universal          # the features that are active on at least 30 % of the prompts
    result.report             # the page of the results, which a notebook shows

pandas and numpy are imported when they are first needed.
"""

from saescope._activations import Activations, activations
from saescope._analyses import analyze, specific, universal
from saescope._errors import InputError, RunError, SaescopeError, SaescopeWarning
from saescope._jobs import Job, open_job
from saescope._look import models, show_tokens
from saescope._report import Report
from saescope._result import Result
from saescope._submission import submit

__all__ = [
    "Activations",
    "InputError",
    "Job",
    "Report",
    "Result",
    "RunError",
    "SaescopeError",
    "SaescopeWarning",
    "activations",
    "analyze",
    "models",
    "open_job",
    "show_tokens",
    "specific",
    "submit",
    "universal",
]


def __getattr__(name: str) -> str:
    # importlib.metadata takes longer to import than all of this package.
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("saescope")
    except PackageNotFoundError:
        return "0+unknown"  # the package's folder is used without an installation
