"""Objects that stand among records and are none: pieces of a stream, other lines of a log."""

from __future__ import annotations

from chimera.ingest.columns import AddNote
from chimera.ingest.outcomes import NO_VALUE
from chimera.record.batch import Batch

_NAMED = ("identity", "parameter")


def drop_no_records(batch: Batch, without_metrics: frozenset[int], note: AddNote) -> None:
    """Leave out what holds no value and does not say that it failed.

    A piece of an answer says "done": false, as Ollama's stream does. Another line of a log has
    none of the metrics' keys (``without_metrics`` are those rows) and names neither a model nor
    a setting; a record that failed would. A summary may say that it sums up nothing.
    """
    empty = [i for i, outcome in enumerate(batch.outcomes) if outcome == NO_VALUE]
    if not empty:
        return
    done = next((c.raw for c in batch.columns if c.name.rpartition(".")[2] == "done"), None)
    pieces = [i for i in empty if done is not None and done[i] is False]
    if pieces:
        note("stream-pieces", pieces)
    named = [c.values for c in batch.columns if c.role in _NAMED]
    others = [i for i in empty if i in without_metrics and not any(v[i] for v in named)]
    others = [i for i in others if i not in pieces]
    if others:
        note("other-lines", others)
    nothing = [i for i in empty if batch.kind == "summary" and _counts_none(batch, i)]
    if nothing:
        note("empty-summary", nothing)
    if pieces or others or nothing:
        _leave_out(batch, {*pieces, *others, *nothing})


def _counts_none(batch: Batch, row: int) -> bool:
    """Whether a row says that it sums up no record at all: its count is zero, and so is all else.

    Of a number of requests of which none completed, the row says that they failed.
    """
    counts = [c.raw[row] for c in batch.columns if c.role == "status" and c.key == "count"]
    numbers = [c.raw[row] for c in batch.columns if isinstance(c.raw[row], (int, float))]
    return any(n == 0 and n is not False for n in counts) and not any(numbers)


def _leave_out(batch: Batch, rows: set[int]) -> None:
    keep = [i for i in range(len(batch)) if i not in rows]
    batch.rows = [batch.rows[i] for i in keep]
    for column in batch.columns:
        column.values = [column.values[i] for i in keep]
        column.raw = [column.raw[i] for i in keep]
    batch.outcomes = [batch.outcomes[i] for i in keep]
    batch.phases = [batch.phases[i] for i in keep]
    batch.duplicate_of = [None] * len(keep)
    if batch.pointers:
        batch.pointers = [batch.pointers[i] for i in keep]
