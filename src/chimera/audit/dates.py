"""Dates in reports: of files, of measurements, and the report's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from chimera.audit.claim import Place
from chimera.audit.dated import Dated, dates_in, day_of
from chimera.audit.evidence import Evidence
from chimera.audit.sentence import Sentence
from chimera.audit.verdict import Verdict

_MODIFIED = re.compile(
    r"modif|last (?:changed|touched|updated|written|saved)|updated|\bdates? (?:from|of)|timestamp of|written on|"
    r"changed|latest|most recent|newest|saved",
    re.IGNORECASE,
)
_MOSTLY = re.compile(
    r"\b(?:primarily|mostly|mainly|predominantly|focus(?:ed|ing)? (?:on|in)|concentrat|largely|majority)\b",
    re.IGNORECASE,
)
_STAMP = re.compile(r"(?<!\d)(20\d{2})-?(\d{2})-?(\d{2})(?!\d)")
_ZONES = timedelta(hours=14)
_COPIED = timedelta(hours=1)


class DateJudge:
    """Judges dates against the times of files and of records."""

    def __init__(self, evidence: Evidence) -> None:
        self._files = evidence.ingest.files
        self._evidence = evidence
        self._recorded: list[datetime] | None = None

    def claims(
        self, sentence: Sentence, around: Sequence[Sentence], own: datetime | None
    ) -> Iterator[tuple[int, int, Verdict]]:
        """A verdict for each date of a sentence; ``own`` is the report's own date."""
        for dated in dates_in(sentence.text):
            verdict = self._judge(dated, sentence, around, own)
            yield dated.start, dated.end, msgspec.structs.replace(verdict, kind="date")

    def _judge(
        self, dated: Dated, sentence: Sentence, around: Sequence[Sentence], own: datetime | None
    ) -> Verdict:
        if dated.first is None or dated.last is None:
            return Verdict("inconsistent", "there is no such date")
        files = [n.value for n in sentence.named if n.key == "file"]
        verdict = None
        if files:
            verdict = self._of_file(dated, files[0])
        elif _MODIFIED.search(sentence.text) or any(map(_is_modified, around[:1])):
            verdict = self._newest(dated, sentence)
            if verdict is None:
                verdict = self._of_data(dated, mostly=False)
                if verdict.label == "contradicted":
                    reason = "the files were copied, so that their times say nothing"
                    verdict = Verdict("unverifiable", reason)
        if verdict is None:
            verdict = self._of_data(dated, bool(_MOSTLY.search(sentence.text)))
        after = own is not None and dated.first > own + timedelta(days=2)
        if after and verdict.label != "supported":
            reason = f"it lies after the report's own date, {own:%Y-%m-%d}"
            if verdict.label == "contradicted":
                return msgspec.structs.replace(verdict, reason=f"{verdict.reason}; {reason}")
            return Verdict("inconsistent", reason)
        return verdict

    def _of_file(self, dated: Dated, name: str) -> Verdict:
        file = next((f for f in self._files if f.name == name), None)
        if file is None:
            return Verdict("unverifiable", "the time of this file is not known")
        moment = datetime.fromtimestamp(file.mtime_ns / 1e9, UTC)
        right = f"{moment:%Y-%m-%d %H:%M} UTC"
        if _within(dated, moment):
            return Verdict("supported", f"{name} was last modified {right}", places=(Place(name),))
        return Verdict(
            "contradicted", f"{name} was last modified {right}", right, places=(Place(name),)
        )

    def _newest(self, dated: Dated, sentence: Sentence) -> Verdict | None:
        kinds = [n.key.partition(":")[2] for n in sentence.nouns if n.key.startswith("files:")]
        chosen = [f for f in self._files if not kinds or f.type.lower() in kinds]
        if not chosen:
            return None
        moments = [datetime.fromtimestamp(f.mtime_ns / 1e9, UTC) for f in chosen]
        if any(_within(dated, moment) for moment in moments):
            return Verdict("supported", "a file was last modified then")
        if max(moments) - min(moments) < _COPIED and len(moments) > 1:
            return None  # copied: the times of the files say nothing of the data
        right = f"{min(moments):%Y-%m-%d} to {max(moments):%Y-%m-%d}"
        return Verdict("contradicted", f"the files were last modified {right}", right)

    def _of_data(self, dated: Dated, mostly: bool) -> Verdict:
        moments = self._moments()
        modified = [datetime.fromtimestamp(f.mtime_ns / 1e9, UTC) for f in self._files]
        if not mostly and any(_within(dated, moment) for moment in modified):
            return Verdict("supported", "a file was last modified then")
        if not moments:
            return Verdict("unverifiable", "nothing in the data says when it was measured")
        inside = sum(_within(dated, moment) for moment in moments)
        right = f"{min(moments):%Y-%m-%d} to {max(moments):%Y-%m-%d}"
        reason = f"{inside} of {len(moments)} times in the data lie there; they go from {right}"
        wide = dated.first is not None and dated.last is not None and (
            dated.first <= min(moments) and max(moments) <= dated.last
        )  # fmt: skip
        if (inside and not mostly) or wide or 2 * inside > len(moments):
            return Verdict("supported", reason)
        return Verdict("contradicted", reason, right)

    def _moments(self) -> list[datetime]:
        """When records were made, by their own columns and by the names of their files."""
        if self._recorded is None:
            found: list[datetime] = []
            for batch in self._evidence.ingest.batches:
                for column in batch.columns:
                    if column.key == "time":
                        found.extend(m for raw in column.raw if (m := _moment(raw)) is not None)
            for file in self._files:
                moment: datetime | None
                match = _STAMP.search(file.name)
                moment = day_of(int(match[1]), int(match[2]), match[3]) if match and 1 <= int(match[2]) <= 12 else None  # fmt: skip
                found.extend([moment] if moment else [])
            self._recorded = found
        return self._recorded


def _moment(raw: object) -> datetime | None:
    if isinstance(raw, str):
        try:
            moment = datetime.fromisoformat(raw.strip())
        except ValueError:
            match = _STAMP.search(raw)
            return day_of(int(match[1]), int(match[2]), match[3]) if match and 1 <= int(match[2]) <= 12 else None  # fmt: skip
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(raw, (int, float)) and 1e9 < raw < 4e9:
        return datetime.fromtimestamp(float(raw), UTC)
    return None


def _within(dated: Dated, moment: datetime) -> bool:
    assert dated.first is not None
    assert dated.last is not None
    day = dated.last - dated.first >= timedelta(hours=23)
    slack = _ZONES if not day else timedelta(hours=0)
    return dated.first - slack <= moment <= dated.last + slack


def own_dates(sentences: Sequence[Sentence]) -> list[tuple[Sentence, Dated]]:
    """The dates that the report gives itself ("Date: 2025-11-14")."""
    found: list[tuple[Sentence, Dated]] = []
    for sentence in sentences:
        found.extend(
            (sentence, dated)
            for dated in dates_in(sentence.text)
            if re.search(r"\bdate\W{0,8}$", sentence.text[: dated.start], re.IGNORECASE)
        )
    return found


def _is_modified(sentence: Sentence) -> bool:
    return len(sentence.text) < 60 and bool(_MODIFIED.search(sentence.text))
