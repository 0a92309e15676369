"""Stubs for the modules that dictionary_learning imports but that its dictionaries, trainers and configurations do not need."""
from __future__ import annotations

import importlib.machinery
import sys
import types
from contextlib import contextmanager

# Module -> the name imported from it, if any.
_STUBS = {
    "nnsight": "LanguageModel",
    "zstandard": None,
    "datasets": "load_dataset",
    "wandb": None,
    "umap": None,
    "circuitsvis": None,
    "circuitsvis.activations": "text_neuron_activations",
    "plotly": None,
    "plotly.express": None,
}


@contextmanager
def stubbed_imports():
    """Inside the block dictionary_learning can be imported without the packages for its hub, logging and plots."""
    stubs = [name for name in _STUBS if name not in sys.modules]
    for name in stubs:
        stub = types.ModuleType(name)
        stub.__spec__ = importlib.machinery.ModuleSpec(name, loader=None, is_package=True)
        stub.__path__ = []
        if _STUBS[name]:
            setattr(stub, _STUBS[name], object)
        sys.modules[name] = stub
    try:
        yield
    finally:
        for name in stubs:  # other packages look at sys.modules to see what is installed
            del sys.modules[name]
