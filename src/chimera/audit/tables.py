"""Numbers of tables: each cell bound by its row, its column's header, caption and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from chimera.audit.alignment import Alignment, Printed
from chimera.audit.binding import IDENTITIES, About, bind
from chimera.audit.claim import BAD, Claim
from chimera.audit.count_verdicts import judge_count
from chimera.audit.document import Cell, Table
from chimera.audit.headers import (
    Column,
    column_of,
    counted,
    is_count_header,
    is_setting,
    open_words,
)
from chimera.audit.names import Names
from chimera.audit.numbers import Number, numbers_in
from chimera.audit.prose import ProseJudge
from chimera.audit.relations import Operand, _fits
from chimera.audit.sentence import Sentence
from chimera.audit.settings_said import plain_value, settings_in
from chimera.audit.verdict import Verdict, bound_of, claim_of
from chimera.ingest.names import Reading
from chimera.record.units import unit_of

_SPREADS = frozenset({"±", "+/-", "σ", "sd", "std", "stddev", "stdev"})
_FEW_WORDS = 1  # that a row's label may hold beside what is understood
_PLAIN_LABEL = 4  # words
_MANY_NUMBERS = 3
_CAPTION = 100  # characters
_FEW_LETTERS = 8
_CHANGED = re.compile(
    r"\b(?:deltas?|diff(?:erence)?s?|changes?|gains?|improvements?|speed-?ups?|vs\.?|relative|ratios?|shares?|gaps?)\b|Δ|×",
    re.IGNORECASE,
)
_RANK = re.compile(r"^(?:rank|#|no\.?|place|position|id|index)$", re.IGNORECASE)


class TableJudge:
    """Judges the numbers of tables."""

    def __init__(self, prose: ProseJudge, names: Names) -> None:
        self._prose = prose
        self._names = names
        self._alignment = Alignment(prose.measured.elsewhere)

    def claims(self, table: Table, around: Sequence[Sentence], section: str) -> Iterator[Claim]:
        """A claim for each number of the table's body."""
        columns = self._columns(table)
        printed: list[Printed] = []
        found: list[tuple[Number, Cell]] = []
        above: Sequence[Cell] = ()
        for at, row in enumerate(table.rows):
            label = self._label(_ditto(row, above), columns)
            above = _ditto(row, above)
            unit = self._row_unit(row, columns)
            for place, cell in enumerate(row[: len(columns)]):
                column = columns[place]
                if column.reading.role in ("parameter", "identity") or not cell.text.strip():
                    continue
                if _RANK.match(column.sentence.text.strip()):
                    continue
                if not is_numeric(cell.text):
                    yield from self._words(cell, column, label, row, around, section)
                    continue
                words = label.words | column.sentence.words
                for number, told, about, verdict in self._cell(
                    cell, column, label, unit, row, around
                ):
                    printed.append(Printed(at, place, told, about, verdict, words))
                    found.append((number, cell))
        verdicts = self._alignment.refine(printed)
        for (number, cell), one, verdict in zip(found, printed, verdicts, strict=True):
            if verdict is not None:
                bound = bound_of(one.about, verdict)
                yield claim_of(number, verdict, cell.text, cell.start, section, bound)

    def _columns(self, table: Table) -> list[Column]:
        """What the headers say; numbers beside the name of a setting are its levels."""
        columns = [column_of(cell, self._names) for cell in table.header]
        first, *rest = columns
        levels = [c.sentence.text.strip().replace(",", "") for c in rest]
        plain = len(rest) > 1 and all(re.fullmatch(r"\d+(?:\.\d+)?[kK]?", v) for v in levels)
        if not plain or not is_setting(first.sentence):
            return columns
        key = first.sentence.settings[0].key
        return [
            replace(first, reading=Reading("unknown", ""), sentence=Sentence("", -1, self._names)),
            *(
                replace(
                    c, sentence=Sentence("", c.sentence.start, self._names, {key: plain_value(v)})
                )
                for c, v in zip(rest, levels, strict=True)
            ),
        ]

    def _label(self, row: Sequence[Cell], columns: Sequence[Column]) -> Sentence:
        """What a row names, as one text: settings by their columns, and all that is no number."""
        parts = []
        told: dict[str, str] = {}
        for cell, column in zip(row, columns, strict=False):
            text = cell.text.strip()
            if not text:
                continue
            key = "prompt_id" if column.reading.key == "prompt" else column.reading.key
            if column.reading.role == "parameter":
                told[key] = text.replace(",", "")
            elif column.reading.role == "identity" and key in IDENTITIES:
                named = Sentence(text, -1, self._names).models
                if not named and not any(m.value is not None for m in settings_in(text)):
                    told[key] = text
                parts.append(text)
            elif is_setting(column.sentence) and is_numeric(text):
                parts.append(f"{column.sentence.settings[0].key}={text.replace(',', '')}")
            elif not is_numeric(text):
                parts.append(text)
        return Sentence("; ".join(parts), -1, self._names, told)

    def _row_unit(self, row: Sequence[Cell], columns: Sequence[Column]) -> tuple[str, float, str]:
        """The unit that a column "Unit" gives the row."""
        for cell, column in zip(row, columns, strict=False):
            if column.sentence.text.strip().lower() in ("unit", "units"):
                text = cell.text.strip()
                if text in ("%", "percent"):
                    return "", 1.0, "percent"
                found = unit_of(text)
                if found:
                    return found[0], found[1], "plain"
        return "", 1.0, ""

    def _words(
        self,
        cell: Cell,
        column: Column,
        label: Sentence,
        row: Sequence[Cell],
        around: Sequence[Sentence],
        section: str,
    ) -> Iterator[Claim]:
        """The claims of a cell that holds text."""
        if row[0] is cell and cell.text.strip() in label.text:
            return  # the row's own name
        sentence = Sentence(cell.text, cell.start, self._names)
        yield from self._prose.claims(sentence, (label, column.sentence, *around), section)

    def _cell(
        self,
        cell: Cell,
        column: Column,
        label: Sentence,
        unit: tuple[str, float, str],
        row: Sequence[Cell],
        around: Sequence[Sentence],
    ) -> Iterator[tuple[Number, Number, About, Verdict | None]]:
        """Each number of a cell: as written, with the unit it is told, about what, the verdict."""
        text = cell.text
        sentence = Sentence(text, cell.start, self._names)
        near = 3 if around and len(around[0].text) < _CAPTION else 2  # a caption is as near
        numbers = numbers_in(text)
        several = len(numbers) >= _MANY_NUMBERS or (len(numbers) > 1 and "/" in text)
        for number in () if several else numbers:  # levels, or values of two metrics
            told = self._in_unit(number, column, unit)
            self._prose.learn_unit(told)
            told = self._prose.with_unit(told)
            about = bind(told, sentence, (label, column.sentence, *around), near=near)
            if about.near == 1:  # the row's own name is as good as the cell's sentence
                about = replace(about, near=0)
            if not about.named or _is_elsewhere(column, label):
                about = replace(about, keys=_only_of_unit(about, column), named=False)
            if column.sentence.text.strip() in _SPREADS:
                told = replace(told, is_spread=True)
            if told.is_spread:
                about = replace(about, statistic="sd")
            elif column.sentence.statistics:  # "Max" above beats "mean_ttft_s" at the left
                about = replace(about, statistic=column.sentence.statistics[-1].key, sure=True)
            verdict = self._verdict(told, about, column, label, row, cell)
            if (
                verdict is not None
                and verdict.label in BAD
                and (
                    open_words(column.sentence)
                    or column.sentence.numbers
                    or label.numbers
                    or len(open_words(label)) > _FEW_WORDS
                )
            ):
                reason = f"its header is not understood; {verdict.reason}"
                verdict = Verdict("unsupported", reason, verdict.right)
            yield number, told, about, verdict

    def _in_unit(self, number: Number, column: Column, row: tuple[str, float, str]) -> Number:
        if number.unit or number.form != "plain":
            return number
        unit, scale, form = row
        if not form:
            unit, scale, form = column.unit, column.scale, column.form
        if form in ("percent", "multiple"):
            return replace(number, form="percent" if form == "percent" else "multiple")
        return replace(number, unit=unit, scale=scale) if unit else number

    def _verdict(
        self,
        number: Number,
        about: About,
        column: Column,
        label: Sentence,
        row: Sequence[Cell],
        cell: Cell,
    ) -> Verdict | None:
        header = column.sentence.text.strip()
        noun = counted(header, label)
        if noun == "files":
            noun = next((n.key for n in label.nouns if n.key.startswith("files:")), noun)
        if is_count_header(header):
            number = replace(number, unit="", scale=1.0)
        whole = number.value == int(number.value) and not number.unit and number.form == "plain"
        if noun and whole and not about.named:
            return _plainly(
                judge_count(number, self._prose.counter.of(noun, about.selector)), label
            )
        if noun in ("records", "failed", "succeeded") and whole and is_count_header(header):
            counts = self._prose.counter.of(noun, about.selector)
            if noun == "records":
                counts += self._prose.counter.of_values(about.keys, about.selector)
            return _plainly(judge_count(number, counts), label)
        if number.form in ("percent", "points", "multiple") or _CHANGED.search(header):
            derived = self._derived(number, row, cell)
            if derived is not None:
                return derived
            judged = (
                self._prose.verdict(number, about, column.sentence, (label,))
                if number.form != "plain"
                else None
            )
            if judged is not None:
                return judged
            return Verdict("unsupported", "the table does not say what is compared with what")
        field = self._prose.field_value(number, column.sentence, (label,))
        if field is not None:
            return field
        if about.keys:
            return self._prose.measured.judge(number, about)
        if number.form == "plain":
            return Verdict("unverifiable", "neither row nor column says what this number is of")
        return None

    def _derived(self, number: Number, row: Sequence[Cell], cell: Cell) -> Verdict | None:
        """A difference, ratio or percent change of two other cells of the row."""
        operands: list[Operand] = []
        for other in row:
            if other is cell:
                continue
            operands.extend(
                Operand(n.value, n.slack, other.text.strip())
                for n in numbers_in(other.text)[:1]
                if n.form == "plain" and n.high is None
            )
        for i, first in enumerate(operands):
            for j, second in enumerate(operands):
                if i != j and first.value != second.value:
                    hit = _fits(replace(number, unit="", scale=1.0), first, second, exact=False)
                    if hit:
                        return Verdict("derivable", hit, None, hit)
        return _not_the_change(number, operands)


def is_numeric(text: str) -> bool:
    """Whether a cell holds nothing but numbers, their units and a few signs."""
    numbers = numbers_in(text)
    if not numbers:
        return False
    rest = text
    for number in reversed(numbers):
        rest = rest[: number.start] + rest[number.end :]
    return sum(c.isalpha() for c in rest) <= _FEW_LETTERS


def _plainly(verdict: Verdict | None, label: Sentence) -> Verdict | None:
    """A verdict on a count, which only a short plain label lets contradict."""
    if verdict is None or verdict.label != "contradicted":
        return verdict
    words = label.text.split()
    if verdict.right == "0" or len(words) > _PLAIN_LABEL or "per" in words or "each" in words:
        return None
    if verdict.reason.startswith("rows of summaries"):
        return None
    return verdict


def _not_the_change(number: Number, operands: Sequence[Operand]) -> Verdict | None:
    """The verdict on a change in a row of just two values, from neither of which it comes."""
    if len(operands) != 2 or not all(o.value > 0 for o in operands):
        return None
    first, second = operands
    if number.form == "percent":
        right = f"{(second.value / first.value - 1.0) * 100.0:+.1f}%"
    elif number.form == "multiple":
        right = f"{second.value / first.value:.2f} times"
    else:
        return None
    reason = f"{second.what} against {first.what} is {right}"
    return Verdict("contradicted", reason, right, reason)


def _ditto(row: Sequence[Cell], above: Sequence[Cell]) -> Sequence[Cell]:
    """A row whose first cell is blank goes on with that of the row above."""
    if not above or not row or row[0].text.strip() or is_numeric(above[0].text):
        return row
    return (above[0], *row[1:])


def _is_elsewhere(column: Column, label: Sentence) -> bool:
    """Whether a metric was found neither in a cell's column nor in its row."""
    return not column.sentence.metrics and not label.metrics and column.reading.role != "metric"


def _only_of_unit(about: About, column: Column) -> tuple[str, ...]:
    """The metrics of a cell whose row and column name none: those around the table, unless the
    header speaks of something else ("File size, GB").
    """
    return () if open_words(column.sentence) else about.keys
