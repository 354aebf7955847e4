"""Records of one type as columns, and back.

A column is a list under its field's name. One whose values are all alike stands as a single
value, and one that an older program did not write takes the field's default, so what was
stored once stays readable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, islice, repeat
from operator import attrgetter, sub
from typing import Any, Generic, TypeVar

import msgspec

from chimera.errors import FormatError

T = TypeVar("T", bound=msgspec.Struct)


class Table(Generic[T]):
    """How records of one type become columns.

    ``ragged`` is the field that holds a growing list of times. All of its lists together are
    one list of gaps between neighbours, which take half the space of the times and less than
    a tenth of what compressing them would cost; the column itself holds the lengths.
    """

    def __init__(self, kind: type[T], ragged: str | None = None) -> None:
        self.kind = kind
        self._ragged = ragged
        self._fields = msgspec.structs.fields(kind)
        columns = [
            (field.name, list[int if field.name == ragged else field.type] | None, None)  # type: ignore[misc]
            for field in self._fields
        ]
        # The type checks every value when a chunk is read, at the speed of msgspec.
        self.columns: Any = msgspec.defstruct(
            f"{kind.__name__}Columns",
            [("rows", int), *columns],
            kw_only=True,
            omit_defaults=True,
            forbid_unknown_fields=True,
        )

    def split(self, records: Sequence[T], gaps: list[int]) -> Any:
        """The columns of at least one record; gaps are added to ``gaps``."""
        columns: dict[str, list[Any]] = {}
        for field in self._fields:
            values = list(map(attrgetter(field.name), records))
            if field.name == self._ragged:
                for times in values:
                    gaps.extend(times[:1])
                    gaps.extend(map(sub, times[1:], times))
                values = list(map(len, values))
            columns[field.name] = _once(values)
        return self.columns(rows=len(records), **columns)

    def join(self, columns: Any, gaps: Iterator[int]) -> list[T]:
        """The records again.

        Raises:
            FormatError: the columns contradict each other.
        """
        rows = columns.rows
        values = [self._column(field, getattr(columns, field.name), rows) for field in self._fields]
        if self._ragged is not None:
            place = self.kind.__struct_fields__.index(self._ragged)
            values[place] = [_times(gaps, length) for length in values[place]]
        names = self.kind.__struct_fields__
        return [
            self.kind(**dict(zip(names, row, strict=True))) for row in zip(*values, strict=True)
        ]

    def _column(
        self, field: msgspec.structs.FieldInfo, values: list[Any] | None, rows: int
    ) -> list[Any]:
        if values is None:
            if field.name == self._ragged:
                return [0] * rows
            if field.required:
                raise FormatError(f"stored samples lack {field.name}")
            make = field.default_factory
            value = make() if make is not msgspec.NODEFAULT else field.default
            return [value] * rows
        if len(values) == 1:
            return list(repeat(values[0], rows))
        if len(values) != rows:
            raise FormatError(f"stored samples hold {len(values)} {field.name}, not {rows}")
        return values


def _once(values: list[Any]) -> list[Any]:
    """A single value where all are alike, of types in which what is equal is the same."""
    first = values[0]
    alike = (
        (first is None or type(first) in (str, int, bool))
        and first == values[-1]  # most columns that vary are out here
        and values.count(first) == len(values)
    )
    return values[:1] if alike else values


def _times(gaps: Iterator[int], length: int) -> tuple[int, ...]:
    """One list of times from its gaps."""
    times = tuple(accumulate(islice(gaps, length)))
    if len(times) != length:
        raise FormatError(f"stored samples lack {length - len(times)} times")
    return times
