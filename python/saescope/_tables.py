"""Reads the executable's tables with the types that they have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pandas as pd

_TEXT = "category"

UNIVERSAL = {
    "feature_id": "int64",
    "activation_mean": "float32",
    "activation_max": "float32",
    "activation_min": "float32",
    "num_prompts": "int64",
    "chat_desc": _TEXT,
    "pt_desc": _TEXT,
    "type": "str",  # to be filled in by hand, which categories would refuse
    "source": _TEXT,
    "token": _TEXT,
    "link": _TEXT,
}

SPECIFIC = {
    "prompt_idx": "int64",
    "prompt": _TEXT,
    "label": _TEXT,
    "feature_id": "int64",
    "activation": "float32",
    "source": _TEXT,
    "token": _TEXT,
    "link": _TEXT,
}

CONTRAST = {
    "feature_id": "int64",
    "label": _TEXT,
    "against": _TEXT,
    "rate_label": "float64",
    "rate_against": "float64",
    "mean_label": "float64",
    "mean_against": "float64",
    "rate_difference": "float64",
    "odds_ratio": "float64",
    "p_value": "float64",
    "q_value": "float64",
    "source": _TEXT,
    "token": _TEXT,
    "link": _TEXT,
}

ACTIVE_PROMPTS = {
    "model": _TEXT,
    "layer": "int64",
    "feature_id": "int64",
    "prompt": _TEXT,
    "label": _TEXT,
    "activation": "float32",
    "token_type": _TEXT,
}

TOKEN_ACTIVATIONS = {
    "model": _TEXT,
    "layer": "int64",
    "feature_id": "int64",
    "prompt_idx": "int64",
    "label": _TEXT,
    "token_type": _TEXT,
    "tokens": "object",
    "activations": "object",
}


def read_csv(path: str, dtypes: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    # A text that is "NA" or empty stays that text; an empty number is undefined.
    missing = {name: [""] for name, dtype in dtypes.items() if dtype.startswith("float")}
    how: dict[str, Any] = {"dtype": dict(dtypes), "keep_default_na": False, "na_values": missing}
    if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1):
        how["float_precision"] = "round_trip"  # later ones have nothing else, and asking for it is deprecated
    return cast("pd.DataFrame", pd.read_csv(path, **how))


def read_jsonl(path: str, dtypes: Mapping[str, Any]) -> pd.DataFrame:
    """Lists of numbers become float32 arrays."""
    import numpy as np
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in dtypes}
    with open(path, encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            for name, values in columns.items():
                value = record[name]
                values.append(np.array(value, dtype=np.float32) if name == "activations" else value)
    frame: pd.DataFrame = pd.DataFrame(columns)
    for name, dtype in dtypes.items():
        frame[name] = frame[name].astype(dtype)
    return frame
