"""What users hand over, as the files that the executable reads: prompts, features, configuration."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, cast

from saescope._errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from saescope._result import Result

    Path: TypeAlias = str | os.PathLike[str]
    #: A text; an object with `content` (or `messages`) and `label`; a conversation, which is a list of messages.
    Prompt: TypeAlias = str | Mapping[str, Any] | Sequence[Mapping[str, Any]]
    Prompts: TypeAlias = Path | Iterable[Prompt] | pd.Series[Any] | pd.DataFrame
    #: (source, feature_id) or (source, feature_id, token).
    Feature: TypeAlias = tuple[str, int] | tuple[str, int, str | None]
    Features: TypeAlias = Path | Iterable[Feature] | pd.DataFrame | Result
    Config: TypeAlias = Path | Mapping[str, Any]

_CONTENT_KEYS = ("content", "prompt", "text", "messages")
_FEATURE_COLUMNS = ("source", "feature_id", "token", "chat_desc", "pt_desc", "type")
_ROWS_AT_A_TIME = 4096


def is_path(value: object) -> bool:
    return isinstance(value, (str, os.PathLike))


def require_file(path: Path, argument: str, hint: str = "") -> str:
    """The path as text. The executable says less about a prompt or a name that stands where a path should."""
    text = os.fspath(path)
    if text and os.path.exists(os.path.expanduser(text)):
        return text
    raise InputError(
        "the file does not exist", argument, expected="a path", found=json.dumps(text, ensure_ascii=False), hint=hint
    )


def write_prompts(prompts: Prompts, content_key: str | None, path: str) -> None:
    """Writes prompts as JSON lines, one at a time."""
    with open(path, "w", encoding="utf-8") as file:
        for index, record in enumerate(_records(prompts, content_key)):
            try:
                file.write(json.dumps(record, default=_plain))
            except (TypeError, ValueError) as error:
                raise InputError("the prompt cannot be written as JSON", f"prompts[{index}]", found=str(error)) from error
            file.write("\n")


def _records(prompts: Any, content_key: str | None) -> Iterator[dict[str, Any]]:
    if _is_pandas(prompts, "DataFrame"):
        return _frame_records(prompts, content_key)
    if _is_pandas(prompts, "Series"):
        return _series_records(prompts, None, "content")
    if not _is_list(prompts):
        raise InputError(
            "the prompts are neither a list nor a path",
            "prompts",
            expected="a list of texts or of dicts, a Series, a DataFrame, or a path",
            found=type(cast(object, prompts)).__name__,
        )
    return (_record(item, index, content_key) for index, item in enumerate(prompts))


def _record(item: Any, index: int, content_key: str | None) -> dict[str, Any]:
    if isinstance(item, str):
        return {"content": item}
    if isinstance(item, (list, tuple)):
        return {"messages": item}
    if not isinstance(item, Mapping):
        raise InputError(
            "the prompt is neither a text nor a dict",
            f"prompts[{index}]",
            expected="a str, a dict with content and label, or a list of messages",
            found=type(item).__name__,
        )
    prompt = cast("Mapping[str, Any]", item)
    key = _content_key(list(prompt), content_key, f"prompts[{index}]")
    return _named(key, prompt[key], prompt.get("label"))


def _named(key: str, content: Any, label: Any) -> dict[str, Any]:
    """The record of a prompt under the executable's own names."""
    record = {"messages" if key == "messages" else "content": content}
    # A label is a text to the executable; NaN is how pandas marks a row without one.
    if label is not None and label == label:
        record["label"] = str(label)
    return record


def _content_key(names: Sequence[Any], wanted: str | None, where: str) -> str:
    keys = _CONTENT_KEYS if wanted is None else (wanted,)
    for key in keys:
        if key in names:
            return key
    raise InputError(
        "nothing says what the prompt is",
        where,
        expected=f"one of {', '.join(keys)}",
        found=", ".join(map(str, names)) or "nothing",
        hint="content_key names the key or column that holds the prompts",
    )


def _frame_records(frame: pd.DataFrame, content_key: str | None) -> Iterator[dict[str, Any]]:
    key = _content_key(list(frame.columns), content_key, "prompts")
    return _series_records(frame[key], frame["label"] if "label" in frame.columns else None, key)


def _series_records(contents: pd.Series[Any], labels: pd.Series[Any] | None, key: str) -> Iterator[dict[str, Any]]:
    for start in range(0, len(contents), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        some = contents.iloc[rows]
        if labels is None:
            of_these: list[Any] = [None] * len(some)
        else:
            missing = labels.iloc[rows].isna().tolist()
            of_these = [None if gone else label for label, gone in zip(labels.iloc[rows].tolist(), missing)]
        for content, label in zip(some.tolist(), of_these):
            yield _named(key, content, label)


def _is_list(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, Iterable) and not isinstance(value, Mapping)


def _is_pandas(value: object, name: str) -> bool:
    """Whether the value is of this class of pandas, which is not imported where nobody has."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, name))


def _plain(value: Any) -> Any:
    """Arrays and scalars of numpy, which is what conversations become in Parquet files."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no text, number, list or dict")


def write_features(features: Any, path: str) -> None:
    """Writes features as the CSV that --features-csv takes."""
    from saescope._result import Result

    if isinstance(features, Result):
        features = features.universal
    if _is_pandas(features, "DataFrame"):
        columns = [name for name in _FEATURE_COLUMNS if name in features.columns]
        features[columns].to_csv(path, index=False)
        return
    if not _is_list(features):
        raise InputError(
            "the features are neither a list nor a path",
            "features",
            expected="a DataFrame with source and feature_id, a list of (source, feature_id), or a path",
            found=type(cast(object, features)).__name__,
        )
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("source", "feature_id", "token"))
        for index, feature in enumerate(features):
            writer.writerow(_feature_row(feature, index))


def _feature_row(feature: Any, index: int) -> tuple[Any, Any, Any]:
    if isinstance(feature, (tuple, list)) and len(cast("Sequence[Any]", feature)) in (2, 3):
        source, feature_id, *token = cast("Sequence[Any]", feature)
        return source, feature_id, token[0] if token and token[0] is not None else ""
    raise InputError(
        "the feature cannot be understood",
        f"features[{index}]",
        expected="(source, feature_id) or (source, feature_id, token)",
        found=repr(cast("object", feature)),
    )


def write_config(config: Mapping[str, Any], path: str) -> None:
    """Writes a configuration as TOML. Relative paths start at the working folder."""
    with open(path, "w", encoding="utf-8") as file:
        for section, entries in config.items():
            if section != "models" or not isinstance(entries, Mapping):
                raise InputError(
                    "the configuration cannot be understood",
                    "config",
                    expected='{"models": {NAME: {KEY: VALUE, ...}, ...}}',
                    found=f"the key {section!r}",
                )
            for name, entry in cast("Mapping[str, Any]", entries).items():
                file.write(f"[models.{_toml(name)}]\n")
                for key, value in dict(entry).items():
                    file.write(f"{_toml(key)} = {_toml(_anchored(key, value))}\n")


def _anchored(key: str, value: Any) -> Any:
    """A relative path as an absolute one: the executable lets them start at the configuration's file, which lies elsewhere."""
    if isinstance(value, os.PathLike):
        value = os.fspath(cast("os.PathLike[str]", value))
    if not isinstance(value, str) or not value or value.startswith(("/", "~", "${")):
        return value
    path = os.path.abspath(value)
    is_model = key == "model" and (value.startswith(".") or value.endswith(".gguf") or os.path.exists(value))
    is_template = key == "chat_template" and os.path.exists(value)
    return path if key == "sae_dir" or is_model or is_template else value


def _toml(value: Any) -> str:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for this character, which JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, os.PathLike):
        return _toml(os.fspath(cast("os.PathLike[str]", value)))
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in items) + " }"
    if _is_list(value):
        return "[" + ", ".join(map(_toml, value)) + "]"
    raise InputError(
        "the configuration holds what no configuration can hold",
        "config",
        expected="texts, numbers, booleans, lists and dicts",
        found=type(value).__name__,
    )
