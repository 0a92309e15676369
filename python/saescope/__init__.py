"""Sparse autoencoder features of chat models at the generation prompt."""

from importlib.metadata import version as _version

__version__ = _version("saescope")
