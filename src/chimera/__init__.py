"""Chimera: measures language-model inference and reports it without a wrong number."""

__version__ = "0.1.0"
