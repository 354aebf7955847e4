"""What a run shows at its end, derived from its records each time and never stored."""

from chimera.measure.summary.summarise import load_s, summarise
from chimera.measure.summary.types import (
    Cell,
    Comparison,
    ConfigurationSummary,
    Distribution,
    Interval,
    Start,
    Summary,
    TimeShares,
)

__all__ = [
    "Cell",
    "Comparison",
    "ConfigurationSummary",
    "Distribution",
    "Interval",
    "Start",
    "Summary",
    "TimeShares",
    "load_s",
    "summarise",
]
