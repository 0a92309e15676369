"""What a run found."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from saescope import _tables
from saescope._report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

_FILES = {
    "universal": "universal.csv",
    "specific": "specific.csv",
    "contrast": "contrast.csv",
    "token_activations": "tokens.jsonl",
    "active_prompts": "specific_activeprompts.jsonl",
    "report": "report.html",
}


class Files(Protocol):
    """Where the files of a run lie."""

    def path(self, name: str) -> str:
        """The path of a file, by the name that `Result.save` gives it."""
        ...

    def printed(self) -> Iterable[str]:
        """The lines that the run printed."""
        ...


class Result:
    """The tables of a run. Each is read when it is first asked for; one that the run does not have is an AttributeError.

    Texts are categorical; the empty text stands for no label, description or link. The files that the tables are read from
    lie in a temporary folder and go away with this object; `save` keeps them. Those of a job stay in its folder.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        # What the summary says of files is about temporary ones.
        lines = [line for line in files.printed() if not line.startswith("wrote ")]
        self._summary = "".join(lines)

    @cached_property
    def universal(self) -> pd.DataFrame:
        """Features that are active on at least `threshold` of the prompts, a row for each source, token type and feature.

        Sorted by source, token and `activation_mean` (descending). Columns: `feature_id`, `activation_mean` (over the prompts on
        which it is active), `activation_max`, `activation_min` (over all), `num_prompts` (on which it is active), `chat_desc`,
        `pt_desc`, `type` (empty, to be filled in), `source` ("MODEL_trainerT_layerL"), `token`, `link`. Activations are float32
        in the SAE's own unit.
        """
        return self._table("universal", _tables.read_csv, _tables.UNIVERSAL)

    @cached_property
    def specific(self) -> pd.DataFrame:
        """Activations of the chosen features, a row for each source, token type, prompt and feature, zeros too.

        Columns: `prompt_idx` (position among the prompts, from 0), `prompt`, `label`, `feature_id`, `activation` (float32),
        `source`, `token`, `link`.
        """
        return self._table("specific", _tables.read_csv, _tables.SPECIFIC)

    @cached_property
    def contrast(self) -> pd.DataFrame:
        """Features whose activity differs between labels, a row for each source, token type, pair of labels and feature.

        Columns: `feature_id`, `label`, `against` ("rest": all other labels), `rate_label`, `rate_against` (share of prompts on
        which it is active, 0 to 1), `mean_label`, `mean_against` (mean activation over all prompts), `rate_difference`,
        `odds_ratio` (may be inf or NaN), `p_value` (Fisher's exact test), `q_value` (Benjamini-Hochberg), `source`, `token`,
        `link`. Numbers are float64.
        """
        return self._table("contrast", _tables.read_csv, _tables.CONTRAST)

    @cached_property
    def token_activations(self) -> pd.DataFrame:
        """Chosen features at every token, a row for each source, token type, feature and prompt on which it is active.

        Columns: `model`, `layer`, `feature_id`, `prompt_idx`, `label`, `token_type`, `tokens` (list of str, which join to the
        rendered prompt), `activations` (float32 array of the same length).
        """
        return self._table("token_activations", _tables.read_jsonl, _tables.TOKEN_ACTIVATIONS)

    @cached_property
    def active_prompts(self) -> pd.DataFrame:
        """Prompts that set off the chosen features, which `record_prompts` asks for.

        Columns: `model`, `layer`, `feature_id`, `prompt`, `label`, `activation` (float32), `token_type`.
        """
        return self._table("active_prompts", _tables.read_jsonl, _tables.ACTIVE_PROMPTS)

    @cached_property
    def report(self) -> Report:
        """The page of the results. A notebook shows it; `report.save(PATH)` and `report.open()` elsewhere."""
        self._require("report")
        return Report(self._files, _FILES["report"])

    @property
    def summary(self) -> str:
        """What the executable says at its end: rows for each source and token type, prompts, device, time, memory."""
        return self._summary

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Copies the files of the run, which are those of the command line, and the summary.

        They are called `universal.csv`, `specific.csv`, `contrast.csv`, `tokens.jsonl`, `specific_activeprompts.jsonl`,
        `report.html` and `summary.txt`. Missing folders are created, files of these names replaced.

        Returns
        -------
        Path
            The folder.
        """
        target = Path(folder).expanduser()
        target.mkdir(parents=True, exist_ok=True)
        for name in self._names():
            shutil.copyfile(self._path(name), target / _FILES[name])
        (target / "summary.txt").write_text(self.summary, encoding="utf-8")
        return target

    def __repr__(self) -> str:
        return f"Result({', '.join(f'.{name}' for name in self._names())}, .summary)\n{self.summary}"

    def _names(self) -> list[str]:
        return [name for name in _FILES if os.path.exists(self._path(name))]

    def _path(self, name: str) -> str:
        return self._files.path(_FILES[name])

    def _require(self, name: str) -> str:
        if name in self._names():
            return self._path(name)
        raise AttributeError(f"the run has no {name}; it has {', '.join(self._names())}")

    def _table(
        self, name: str, read: Callable[[str, Mapping[str, str]], pd.DataFrame], dtypes: Mapping[str, Any]
    ) -> pd.DataFrame:
        return read(self._require(name), dtypes)
