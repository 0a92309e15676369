"""One run of the executable in a folder: what it reads, its flags, what it writes."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from saescope import _inputs, _process
from saescope._errors import InputError

if TYPE_CHECKING:
    from saescope._inputs import Config, Features, Prompts


class Run:
    """A run in the given folder or, without one, in a temporary folder that is removed together with this object."""

    def __init__(self, folder: str | None = None) -> None:
        if folder is None:
            folder = tempfile.mkdtemp(prefix="saescope-")
            weakref.finalize(self, _remove, folder, os.getpid())
        self.folder = folder
        self._flags: list[str] = []

    @property
    def flags(self) -> Sequence[str]:
        """The command line so far."""
        return self._flags

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def add_prompts(self, prompts: Prompts, content_key: str | None) -> None:
        if _inputs.is_path(prompts):
            hint = "a str is a path; a prompt stands in a list"
            self._flags += ["--prompts-path", _inputs.require_file(cast("str", prompts), "prompts", hint)]
            self.add_flag("content_key", content_key)
            return
        _inputs.write_prompts(prompts, content_key, self.path("prompts.jsonl"))
        self._flags += ["--prompts-path", self.path("prompts.jsonl")]

    def add_features(self, features: Features) -> None:
        if _inputs.is_path(features):
            self._flags += ["--features-csv", _inputs.require_file(cast("str", features), "features")]
            return
        _inputs.write_features(features, self.path("features.csv"))
        self._flags += ["--features-csv", self.path("features.csv")]

    def add_config(self, config: Config | None) -> None:
        if isinstance(config, Mapping):
            _inputs.write_config(config, self.path("config.toml"))
            config = self.path("config.toml")
        if config is not None:
            self._flags += ["--config", _inputs.require_file(config, "config")]

    def add_model(self, model: str | os.PathLike[str] | None) -> None:
        """A model by its configured name or, where the text is no plain name, by its path or hub id."""
        if model is None:
            return
        text = os.fspath(model)
        is_place = "/" in text or text.startswith(("~", ".")) or text.endswith(".gguf") or os.path.exists(text)
        self.add_flag("model" if is_place else "models", text)

    def add_contrast(self, contrast: bool | tuple[str, str] | Iterable[tuple[str, str]] | None) -> None:
        if contrast is None or contrast is False:
            return
        self.add_output("contrast_output", "contrast.csv")
        if contrast is not True:
            for label, against in _pairs(contrast):
                self._flags += ["--contrast", f"{label}:{against}"]

    def add_output(self, keyword: str, name: str) -> None:
        self.add_flag(keyword, self.path(name))

    def add_flag(self, keyword: str, value: Any) -> None:
        """The flag of a keyword's name. None and False leave it out, True stands for a flag without a value."""
        if value is None or value is False:
            return
        flag = "--" + keyword.replace("_", "-")
        if value is True:
            self._flags.append(flag)
        elif isinstance(value, (str, os.PathLike)) or not isinstance(value, Iterable):
            self._flags += [flag, str(cast("object", value))]
        else:
            self._flags += [flag, ",".join(map(str, cast("Iterable[object]", value)))]

    def start(self, *, progress: bool) -> None:
        """Runs the executable; what it prints is `printed` afterwards."""
        _process.run(self._flags, self.path("stdout"), progress=progress, translate=self._translate)

    def look(self, store: str, output: str) -> None:
        """Lets the executable look at the flags and write what it would do with them into a file."""
        flags = [*self._flags, "--store", store, "--stage", "finish", "--dry-run"]
        _process.run(flags, output, progress=False, translate=self._translate)

    def printed(self) -> Iterator[str]:
        """The lines of its standard output."""
        with open(self.path("stdout"), encoding="utf-8") as file:
            yield from file

    def _translate(self, text: str) -> str:
        """Arguments and their items in place of temporary files and their lines."""
        if self.folder not in text:
            return text
        prompts, features, config = (
            re.escape(self.path(name)) for name in ("prompts.jsonl", "features.csv", "config.toml")
        )
        text = re.sub(rf"{prompts}:(\d+)", lambda line: f"prompts[{int(line[1]) - 1}]", text)
        text = re.sub(rf"{features}:row (\d+) \(line \d+\)", lambda row: f"features[{int(row[1]) - 1}]", text)
        for argument, path in (("prompts", prompts), ("features", features), ("config", config)):
            text = re.sub(rf"{path}(:\d+)?", argument, text)
        return text


def _pairs(contrast: Any) -> Iterator[Sequence[Any]]:
    pairs: Iterable[Any] = [contrast] if _is_pair(contrast) else contrast
    for pair in pairs:
        if isinstance(pair, str) or len(pair) != 2:
            raise InputError("the contrast names no pairs of labels", "contrast", '[("A", "B"), …], or True', repr(pair))
        yield pair


def _is_pair(contrast: Any) -> bool:
    items: Any = contrast
    return isinstance(contrast, tuple) and all(isinstance(label, str) for label in items)


def _remove(folder: str, owner: int) -> None:
    # A forked process has copies of this one's objects, but the folder is not its own.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
