"""The packages whose SAE loaders make goldens, without what they import for training, plots and databases.

sae-lens, eai-sparsify and llamascopium are looked for in SAESCOPE_SAE_PACKAGES, a folder that

    pip install --no-deps --target FOLDER sae-lens==6.54.12 eai-sparsify==1.3.3 llamascopium==2.0.0b34 \\
        simple-parsing docstring-parser natsort jaxtyping wadler-lindig python-dotenv pydantic-settings

fills, or on the path.
"""
from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
import types

import torch

_STANDINS = ("babe", "bson", "datasets", "fastapi", "more_itertools", "nltk", "orjson", "plotly", "pymongo",
             "requests_ratelimiter", "schedulefree", "scipy", "sklearn", "streamlit", "transformer_lens", "trio", "typer",
             "uvicorn", "wandb", *(f"llamascopium.{part}" for part in (
                 "activation", "analysis", "backend", "circuits", "database", "evaluator", "initializer",
                 "resource_loaders", "runners", "trainer")))


class _StandIn(types.ModuleType):
    """A module in which every name is an empty class."""
    __path__: list[str] = []

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__class_getitem__": classmethod(lambda cls, key: cls)})


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if any(name == standin or name.startswith(standin + ".") for standin in _STANDINS):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _StandIn(spec.name)

    def exec_module(self, module):
        pass


class _RootModule(torch.nn.Module):
    """TransformerLens' HookedRootModule as far as SAEs need it."""

    def setup(self) -> None:
        pass


if folder := os.environ.get("SAESCOPE_SAE_PACKAGES"):
    sys.path.insert(0, folder)
sys.meta_path.insert(0, _Finder())

import transformer_lens.hook_points  # noqa: E402 (the finder comes first)
import transformer_lens.HookedTransformer  # noqa: E402

transformer_lens.HookedTransformer.HookedRootModule = _RootModule
transformer_lens.hook_points.HookedRootModule = _RootModule
transformer_lens.hook_points.HookPoint = torch.nn.Identity

import llamascopium.models.sae as llamascopium_sae  # noqa: E402, F401
import sae_lens.loading.pretrained_sae_loaders as lens_loaders  # noqa: E402, F401
from sae_lens.saes.sae import SAE as LensSae  # noqa: E402, F401
from sparsify.sparse_coder import SparseCoder  # noqa: E402, F401
