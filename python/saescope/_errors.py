"""What can go wrong, as exceptions and warnings."""

from __future__ import annotations

import os
import sys
import warnings


class SaescopeError(Exception):
    """A run failed. `InputError` and `RunError` say whose fault it is.

    Attributes
    ----------
    what : str
        What went wrong.
    where : str
        The file, row, flag or argument; ``prompts[3]`` is the fourth prompt. This and the following may be empty.
    expected, found : str
        What should have been there, and what was.
    hint : str
        What can be done about it.
    """

    __module__ = "saescope"

    def __init__(self, what: str, where: str = "", expected: str = "", found: str = "", hint: str = "") -> None:
        super().__init__(what, where, expected, found, hint)
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        for name in ("expected", "found", "hint"):
            value = getattr(self, name)
            if value:
                text += f"\n  {name + ':':<9} {value}"
        return text


class InputError(SaescopeError, ValueError):
    """Something that was given cannot be used: an argument, a prompt, a file."""

    __module__ = "saescope"


class RunError(SaescopeError, RuntimeError):
    """A run failed although what was given is fine: network, disk, memory."""

    __module__ = "saescope"


class SaescopeWarning(UserWarning):
    """What a run went on in spite of."""

    __module__ = "saescope"


_PACKAGE = os.path.dirname(os.path.abspath(__file__))


def warn(message: str) -> None:
    """Warns where this package was called, so that each place that calls it gets a warning of its own."""
    level = 1
    frame = sys._getframe()  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and os.path.dirname(frame.f_code.co_filename) == _PACKAGE:
        frame = frame.f_back
        level += 1
    warnings.warn(message, SaescopeWarning, stacklevel=level)
