"""What can be looked at without a run: the catalogue, and the tokens that would be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from saescope._run import Run

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import pandas as pd

    from saescope._inputs import Config, Prompts


def models() -> pd.DataFrame:
    """The published SAEs that can be named, a row for each model and release.

    Returns
    -------
    DataFrame
        Columns: `name` (for `models=`), `release`, `model` and `sae` (hub ids), `format`, `layers` (list of int), `trainers`,
        `widths`, `l0s` (lists of str), `default_layers`, `default_trainer`, `note`.
    """
    import pandas as pd

    run = Run()
    run.add_flag("list", True)
    run.start(progress=False)
    catalogue: pd.DataFrame = pd.DataFrame([json.loads(line) for line in run.printed()])
    return catalogue


def show_tokens(
    prompts: Prompts,
    *,
    model: str | os.PathLike[str],
    tokens: str | Sequence[str] | None = None,
    config: Config | None = None,
    content_key: str | None = None,
    offline: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """The rendered prompts and which token each token type reads, a row for each prompt and token type. Needs no weights.

    Parameters
    ----------
    prompts
        As for `universal`.
    model
        A name from `config` or `saescope.models()`, or a folder, a .gguf file or a hub id.
    tokens
        Names of token types. None: all that the model has.
    config, content_key, offline, progress
        As for `universal`.

    Returns
    -------
    DataFrame
        Columns: `prompt_idx`, `token` (token type), `index` (position among the prompt's tokens, from 0), `id` and `text` of the
        token, `rendered` (the whole prompt), `ids` (list of all its tokens' ids).

    Raises
    ------
    InputError, RunError
        As `universal`.
    """
    import pandas as pd

    run = Run()
    run.add_prompts(prompts, content_key)
    run.add_config(config)
    run.add_model(model)
    run.add_flag("tokens", tokens)
    run.add_flag("offline", offline)
    run.add_flag("show_tokens", True)
    run.start(progress=progress)
    rows: list[dict[str, Any]] = []
    for line in run.printed():
        prompt = json.loads(line)
        common = {"rendered": prompt["text"], "ids": prompt["ids"]}
        for token, tap in prompt["taps"].items():
            rows.append({"prompt_idx": prompt["prompt_idx"], "token": token, **tap, **common})
    frame: pd.DataFrame = pd.DataFrame(rows)
    for name in ("token", "text", "rendered"):
        frame[name] = frame[name].astype("category")
    return frame
