"""The residual stream itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from saescope._run import Run

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Literal, TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    from saescope._inputs import Config, Prompts

    Residuals: TypeAlias = NDArray[np.float32]
    _ByLayerAndToken: TypeAlias = dict[tuple[int, str], Residuals]
else:
    _ByLayerAndToken = dict

_PROMPT_IDX = ".prompt_idx"


class Activations(_ByLayerAndToken):
    """The residual stream by (layer, token type): float32 arrays of shape [prompts, hidden], in the order of the prompts.

    Attributes
    ----------
    prompt_idx : int64 array of shape [prompts]
        Which prompts the rows are, from 0. Not all of them where `skip_long` left some out.
    """

    def __init__(self, values: Mapping[tuple[int, str], Residuals], prompt_idx: NDArray[np.int64]) -> None:
        super().__init__(values)
        self.prompt_idx = prompt_idx


def activations(
    prompts: Prompts,
    *,
    model: str | os.PathLike[str],
    layers: int | Sequence[int],
    tokens: str | Sequence[str] | None = None,
    config: Config | None = None,
    content_key: str | None = None,
    max_tokens: int | None = None,
    skip_long: bool = False,
    dtype: Literal["bf16", "fp32"] = "bf16",
    device: str | None = None,
    threads: int | None = None,
    memory_limit: int | str | None = None,
    batch_tokens: int | None = None,
    cache: bool = True,
    cache_limit: int | str | None = None,
    store: str | os.PathLike[str] | None = None,
    store_dtype: Literal["bf16", "fp32"] | None = None,
    offline: bool = False,
    progress: bool = True,
) -> Activations:
    """The residual stream behind blocks of a model, at its token types. No SAE is read.

    `universal` describes the keywords that are not described here.

    Parameters
    ----------
    prompts
        As for `universal`.
    model
        A name from `config` or `saescope.models()`, or a folder, a .gguf file or a hub id. Of a model without an entry the last
        token is read, as the token type "last".
    layers
        Layers L, counted from 0: what block L adds up to (`model.model.layers[L]` of transformers).
    tokens
        Names of token types. None: all that the model has.

    Returns
    -------
    Activations
        A dict: (layer, token type) to a float32 array [prompts, hidden], in the model's own unit. `prompt_idx` says which prompts
        the rows are.

    Raises
    ------
    InputError, RunError
        As `universal`.
    """
    run = Run()
    run.add_prompts(prompts, content_key)
    run.add_config(config)
    run.add_model(model)
    run.add_output("activations_output", "activations.safetensors")
    run.add_flag("no_cache", not cache)
    flags: dict[str, Any] = {
        "layers": layers,
        "tokens": tokens,
        "max_tokens": max_tokens,
        "skip_long": skip_long,
        "dtype": dtype,
        "device": device,
        "threads": threads,
        "memory_limit": memory_limit,
        "batch_tokens": batch_tokens,
        "cache_limit": cache_limit,
        "store": store,
        "store_dtype": store_dtype,
        "offline": offline,
    }
    for keyword, value in flags.items():
        run.add_flag(keyword, value)
    run.start(progress=progress)
    return _read(run.path("activations.safetensors"))


def _read(path: str) -> Activations:
    from safetensors.numpy import load_file  # pyright: ignore[reportUnknownVariableType]

    tensors: dict[str, Any] = load_file(path)  # pyright: ignore[reportUnknownVariableType]
    name = next(name for name in tensors if name.endswith(_PROMPT_IDX))
    prefix = name[: -len(_PROMPT_IDX)] + ".layer_"  # of names such as MODEL.layer_11.asst, whose parts may hold dots
    values: dict[tuple[int, str], Residuals] = {}
    prompt_idx = tensors.pop(name)
    for name, tensor in tensors.items():
        layer, token = name[len(prefix) :].split(".", 1)
        values[int(layer), token] = tensor
    return Activations(dict(sorted(values.items())), prompt_idx)
