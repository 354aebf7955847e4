"""Findings: what code has computed and tested, in words that the facts license."""

from chimera.facts.findings.base import SEVERITIES, Clause, Finding
from chimera.facts.findings.collect import findings_of

__all__ = ["SEVERITIES", "Clause", "Finding", "findings_of"]
