"""Facts: values with everything needed to believe them, computed from records by pure functions."""

from chimera.facts.fact import Fact, Origin
from chimera.facts.folder import Facts, facts_of

__all__ = ["Fact", "Facts", "Origin", "facts_of"]
