"""Every error that Chimera raises on purpose.

    ChimeraError
    ├── InputError        what the user gave cannot be used (bad folder, bad option)
    ├── OutputError       the result cannot be written (no permission, full disk)
    │   └── StoreError    the store of runs cannot be opened, read or written
    ├── EngineError       a model server cannot be reached, started or understood
    │   └── MissingExtra  the engine needs a package that is not installed
    ├── FormatError       a file of our own format is broken or too new
    └── UnboundNumber     a sentence holds a number that no fact carries

A message names the bad value and the next step; the command line prints it as one line.
"""

from __future__ import annotations


class ChimeraError(Exception):
    """Root of the tree. ``exit_code`` is what the command line returns."""

    exit_code = 1


class InputError(ChimeraError):
    """What the user gave cannot be used."""

    exit_code = 2


class OutputError(ChimeraError):
    """The result cannot be written."""

    exit_code = 3


class StoreError(OutputError):
    """The store of runs cannot be opened, read or written."""


class EngineError(ChimeraError):
    """A model server cannot be reached, started or understood."""

    exit_code = 4


class MissingExtra(EngineError):
    """An optional package is not installed; the message carries the install line."""


class FormatError(ChimeraError):
    """A file of Chimera's own format is broken or newer than this program."""


class UnboundNumber(ChimeraError):
    """A sentence holds a number, or a word that needs proof, that no fact carries."""
