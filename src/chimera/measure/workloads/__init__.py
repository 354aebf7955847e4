"""Workloads: what is asked of a model, always the same bytes.

``open_workload`` takes one short string: a suite written for this project, a file, or
synthetic text of given lengths. docs/workloads.md says how a user writes it.
"""

from chimera.measure.workloads.opening import open_workload
from chimera.measure.workloads.workload import CountTokens, Message, Workload, WorkloadPrompt

__all__ = ["CountTokens", "Message", "Workload", "WorkloadPrompt", "open_workload"]
