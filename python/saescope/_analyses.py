"""The analyses of `run_sae_analysis`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from saescope._result import Result
from saescope._run import Run

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from typing import Literal, TypeAlias

    from saescope._inputs import Config, Features, Path, Prompts

    Contrast: TypeAlias = bool | tuple[str, str] | Iterable[tuple[str, str]]

# The executable warns of flags that change nothing, so what it would do anyway is not said.
_DEFAULTS = {"threshold": 0.3, "activation_threshold": 0.01}


def universal(
    prompts: Prompts,
    *,
    models: str | Sequence[str] | None = None,
    layers: int | Sequence[int] | None = None,
    trainer: int | str | None = None,
    tokens: str | Sequence[str] | None = None,
    threshold: float = 0.3,
    activation_threshold: float = 0.01,
    contrast: Contrast | None = None,
    contrast_q: float | None = None,
    descriptions: Path | None = None,
    pt_descriptions: Path | None = None,
    report: bool = True,
    config: Config | None = None,
    model: str | os.PathLike[str] | None = None,
    sae: str | os.PathLike[str] | None = None,
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
) -> Result:
    """Features that are active on many prompts.

    Each prompt becomes one user message in the model's chat template, or is a conversation that is rendered as it is. The
    residual stream behind block L at the token types (such as "assistant" of the generation prompt) is encoded by the SAE of
    layer L. Keywords are named as the flags of the command line, where None is what happens without the flag.

    Parameters
    ----------
    prompts
        Texts, or dicts with `content` and `label` (or chat `messages`), in a list or another iterable; a Series of texts; a
        DataFrame with a column `content`, `prompt`, `text` or `messages`, and `label`; or the path of a file or folder.
    models
        Names of models, from `config` or `saescope.models()`. None: all of `config`, without it "llama" and "qwen".
    layers
        Layers, counted from 0. None: as configured.
    trainer
        Which of a layer's SAEs: a number or a word.
    tokens
        Names of token types. None: all that the models have.
    threshold
        Share of the prompts, 0 to 1, that must activate a feature.
    activation_threshold
        Activation above which a feature is active.
    contrast
        Which labels are compared: True for each label with the rest, or pairs such as ``[("A", "B")]``.
    contrast_q
        Largest `q_value` of a row of `Result.contrast` (0.05).
    descriptions, pt_descriptions
        Explanations for the columns `chat_desc` and `pt_desc`: a file or folder of Neuronpedia's exports, or "auto" to fetch them.
    report
        Whether there is a `Result.report`.
    config
        Further models: a TOML file, or its content as a dict, ``{"models": {NAME: {KEY: VALUE}}}``.
    model
        A model for this run: a folder, a .gguf file or a hub id.
    sae
        An SAE for this run: its folder or file, or "org/name/path" of a repository, where "{layer}" may be part of it. Needs
        `layers`.
    content_key
        The key or column that holds the prompts.
    max_tokens
        Longest prompt in tokens, the chat template's included. None: the model's context.
    skip_long
        Leave out longer prompts with a warning.
    dtype
        What weights and activations are rounded to in the model's matrix products.
    device
        "cuda" or "cuda:1": a GPU, through the PyTorch of this Python; run on PyTorch's CPU device only so far, not yet on a GPU.
        None: a GPU where there is one and the run is large, else the processor.
    threads
        Threads. None: one for each processor that the process may use.
    memory_limit
        Limit for activations and statistics: bytes, or a text such as "8GiB".
    batch_tokens
        Distinct tokens that go through the model at once.
    cache
        Whether activations of earlier runs are used, and those of this one kept.
    cache_limit
        Disk space that they may take: bytes, or a text such as "8GiB", which it is without.
    store
        Another folder for them, such as the store of a job on a cluster, which has no limit without `cache_limit`.
    store_dtype
        Precision in which they are kept and therefore encoded ("fp32"); "bf16" halves the space.
    offline
        Use only what is on this machine.
    progress
        Whether bars are shown.

    Returns
    -------
    Result
        With `universal`, `report` and, where it was asked for, `contrast`.

    Raises
    ------
    InputError
        What was given cannot be used. It is a ValueError.
    RunError
        The run failed: network, disk, memory. It is a RuntimeError.
    """
    return _analyze("universal", dict(locals()))


def specific(
    prompts: Prompts,
    features: Features,
    *,
    token_activations: bool = False,
    record_prompts: bool = False,
    layers: int | Sequence[int] | None = None,
    tokens: str | Sequence[str] | None = None,
    activation_threshold: float = 0.01,
    contrast: Contrast | None = None,
    contrast_q: float | None = None,
    descriptions: Path | None = None,
    pt_descriptions: Path | None = None,
    report: bool = True,
    config: Config | None = None,
    model: str | os.PathLike[str] | None = None,
    sae: str | os.PathLike[str] | None = None,
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
) -> Result:
    """The activation of chosen features on every prompt. `universal` describes the keywords that are not described here.

    Parameters
    ----------
    prompts
        As for `universal`.
    features
        A DataFrame with `source` and `feature_id` (`Result.universal` is one) and, where a row is meant for one token type,
        `token`; tuples (source, feature_id) or (source, feature_id, token); a Result; or the path of a CSV file. A source is
        "MODEL_trainerT_layerL"; the sources decide which models and layers run.
    token_activations
        Also the features' activations at every token of the prompts on which they are active. The model then runs for every
        prompt, whatever the cache has.
    record_prompts
        Also `Result.active_prompts`: what is at least `activation_threshold`.
    layers
        Only together with `sae`: the layers that it belongs to.
    activation_threshold
        Activation above which a feature is active in the report, the contrast and token activations.

    Returns
    -------
    Result
        With `specific`, `report` and, where they were asked for, `token_activations`, `active_prompts` and `contrast`.

    Raises
    ------
    InputError, RunError
        As `universal`.
    """
    return _analyze("specific", dict(locals()))


def analyze(
    prompts: Prompts,
    features: Features | None = None,
    *,
    models: str | Sequence[str] | None = None,
    layers: int | Sequence[int] | None = None,
    trainer: int | str | None = None,
    tokens: str | Sequence[str] | None = None,
    threshold: float = 0.3,
    activation_threshold: float = 0.01,
    token_activations: bool = False,
    record_prompts: bool = False,
    contrast: Contrast | None = None,
    contrast_q: float | None = None,
    descriptions: Path | None = None,
    pt_descriptions: Path | None = None,
    report: bool = True,
    config: Config | None = None,
    model: str | os.PathLike[str] | None = None,
    sae: str | os.PathLike[str] | None = None,
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
) -> Result:
    """Both analyses in one pass of the model. `universal` and `specific` describe the parameters.

    Without `features` it is `universal`, and `token_activations` and `record_prompts` have no meaning.

    Returns
    -------
    Result
        With `universal`, `specific`, `report` and what else was asked for.

    Raises
    ------
    InputError, RunError
        As `universal`.
    """
    return _analyze("universal" if features is None else "both", dict(locals()))


def _analyze(analysis: str, given: dict[str, Any]) -> Result:
    run = Run()
    progress = given.pop("progress")
    run.add_flag("no_cache", not given.pop("cache"))
    add_analysis(run, analysis, given)
    run.start(progress=progress)
    return Result(run)


def add_analysis(run: Run, analysis: str, given: dict[str, Any]) -> None:
    """Gives a run what an analysis needs. `given` are the arguments of a function above by name: each is a flag's, or handled here."""
    run.add_flag("analysis", analysis)
    run.add_prompts(given.pop("prompts"), given.pop("content_key"))
    run.add_config(given.pop("config"))
    run.add_model(given.pop("model"))
    run.add_contrast(given.pop("contrast"))
    features = given.pop("features", None)
    if features is not None:
        run.add_features(features)
        run.add_output("specific_output", "specific.csv")
    if analysis != "specific":
        run.add_output("universal_output", "universal.csv")
    if given.pop("token_activations", False):
        run.add_output("token_activations", "tokens.jsonl")
    if given.pop("report"):
        run.add_output("report", "report.html")
    for keyword, value in given.items():
        if keyword not in _DEFAULTS or value != _DEFAULTS[keyword]:
            run.add_flag(keyword, value)
