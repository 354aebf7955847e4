"""Numbers of the command line: those that click takes, without "nan" and "inf"."""

from __future__ import annotations

import math
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A range of numbers in which "nan" and "inf" are none: no bound holds them off."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """See ``click.FloatRange``."""
        found = float(super().convert(value, param, ctx))
        if not math.isfinite(found):
            self.fail(f"{value} is no number that can be worked with", param, ctx)
        return found
