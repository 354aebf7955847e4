"""The store, in SQL that both databases understand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import msgspec

from chimera.errors import FormatError, InputError, StoreError
from chimera.record.request import Request, RunEnd
from chimera.record.run import Run
from chimera.record.runfile import Line, RunFile, assemble
from chimera.store.chunks import pack, unpack
from chimera.store.contract import StoredRun
from chimera.store.database import Database, upgrade

_COLUMNS = "id, created, experiment, model, engine, target, requests, failed, stopped"
_UNFINISHED = "unfinished"
_CHUNKS_AT_ONCE = 16
_SHORTEST = 4  # letters of an id that may stand for it


class SqlStore:
    """See ``Store``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        try:
            upgrade(database)
        except BaseException:
            database.close()
            raise

    def begin(self, run: Run, *, tags: Sequence[str] = ()) -> SqlSink:
        """See ``Store.begin``."""
        values = (run.id, run.zero_utc, run.experiment, run.model.name, run.engine, run.target)
        try:
            with self._database.transaction():
                self._database.query(
                    "INSERT INTO run (id, created, experiment, model, engine, target, header) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (*values, msgspec.json.encode(run)),
                )
                self._add_tags(run.id, tags)
        except StoreError as error:
            if self._database.is_taken(error):
                raise InputError(f"the store holds a run {run.id} already") from None
            raise
        return SqlSink(self._database, run.id, 0)

    def resume(self, run_id: str) -> tuple[RunFile, SqlSink]:
        """See ``Store.resume``. A stop by the user is taken back: its end line goes."""
        with self._database.transaction(alone=True):
            if self._stored(run_id).ended == "complete":
                raise InputError(f"run {run_id} is complete: there is nothing to resume")
            self._take_end_back(run_id)
            file = self.read(run_id)
            last = self._database.query("SELECT max(seq) FROM chunk WHERE run_id = ?", (run_id,))
        newest = last[0][0]
        return file, SqlSink(self._database, run_id, 0 if newest is None else int(newest) + 1)

    def read(self, run_id: str) -> RunFile:
        """See ``Store.read``."""
        header = self.header(run_id)
        return assemble(f"run {run_id}", header, list(self.lines(run_id)), [])

    def lines(self, run_id: str) -> Iterator[Line]:
        """See ``Store.lines``."""
        self._stored(run_id)
        return self._lines(run_id)

    def header(self, run_id: str) -> Run:
        """See ``Store.header``."""
        rows = self._database.query("SELECT header FROM run WHERE id = ?", (run_id,))
        if not rows:
            raise InputError(f"no run {run_id!r} in {self._database.shown}")
        try:
            return msgspec.json.decode(rows[0][0], type=Run)
        except msgspec.MsgspecError as error:
            raise FormatError(
                f"run {run_id}: a header that cannot be read: {error}; update chimera-lab"
            ) from None

    def runs(
        self,
        *,
        experiment: str | None = None,
        tag: str | None = None,
        model: str | None = None,
        engine: str | None = None,
        limit: int | None = None,
    ) -> list[StoredRun]:
        """See ``Store.runs``."""
        wanted = {"experiment": experiment, "model": model, "engine": engine}
        conditions = [f"{name} = ?" for name, value in wanted.items() if value is not None]
        values: list[Any] = [value for value in wanted.values() if value is not None]
        if tag is not None:
            conditions.append("id IN (SELECT run_id FROM tag WHERE tag = ?)")
            values.append(tag)
        where = " WHERE " + " AND ".join(conditions) if conditions else ""
        most = "" if limit is None else f" LIMIT {int(limit)}"
        sql = f"SELECT {_COLUMNS} FROM run{where} ORDER BY created DESC, id DESC{most}"  # noqa: S608 - names of our own
        rows = self._database.query(sql, values)
        tags: dict[str, list[str]] = {}
        for run_id, name in self._database.query("SELECT run_id, tag FROM tag ORDER BY tag"):
            tags.setdefault(run_id, []).append(name)
        return [_stored(row, tags.get(row[0], [])) for row in rows]

    def find(self, name: str) -> str:
        """See ``Store.find``."""
        if name == "latest":
            newest = self.runs(limit=1)
            if not newest:
                raise InputError(f"{self._database.shown} holds no run; measure with chimera bench")
            return newest[0].id
        rows = self._database.query("SELECT id FROM run WHERE id = ?", (name,))
        if not rows and len(name) >= _SHORTEST:
            rows = self._database.query(
                "SELECT id FROM run WHERE substr(id, 1, ?) = ? ORDER BY id", (len(name), name)
            )
        if not rows:
            raise InputError(
                f"no run {name!r} in {self._database.shown}; `chimera runs` lists what is there"
            )
        if len(rows) > 1:
            several = ", ".join(str(row[0]) for row in rows[:5])
            raise InputError(f"{name!r} begins several runs: {several}; give more of the id")
        return str(rows[0][0])

    def tag(self, run_id: str, tags: Sequence[str]) -> None:
        """See ``Store.tag``."""
        with self._database.transaction():
            self._stored(run_id)
            self._add_tags(run_id, tags)

    def untag(self, run_id: str, tags: Sequence[str]) -> None:
        """See ``Store.untag``."""
        with self._database.transaction():
            self._stored(run_id)
            for tag in tags:
                self._database.query("DELETE FROM tag WHERE run_id = ? AND tag = ?", (run_id, tag))

    def delete(self, run_id: str) -> None:
        """See ``Store.delete``."""
        with self._database.transaction():
            self._stored(run_id)
            for table, column in (("chunk", "run_id"), ("tag", "run_id"), ("run", "id")):
                self._database.query(f"DELETE FROM {table} WHERE {column} = ?", (run_id,))  # noqa: S608 - names of our own

    def close(self) -> None:
        """See ``Store.close``."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _stored(self, run_id: str) -> StoredRun:
        rows = self._database.query(f"SELECT {_COLUMNS} FROM run WHERE id = ?", (run_id,))  # noqa: S608 - names of our own
        if not rows:
            raise InputError(f"no run {run_id!r} in {self._database.shown}")
        return _stored(rows[0], [])

    def _lines(self, run_id: str) -> Iterator[Line]:
        seq = -1
        while True:
            rows = self._database.query(
                "SELECT seq, data FROM chunk WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?",
                (run_id, seq, _CHUNKS_AT_ONCE),
            )
            if not rows:
                return
            for seq, data in rows:
                yield from unpack(bytes(data), f"run {run_id}, part {seq}")

    def _take_end_back(self, run_id: str) -> None:
        """Remove the end line of an interrupted run, and its chunk if nothing else is in it."""
        rows = self._database.query(
            "SELECT seq, data FROM chunk WHERE run_id = ? ORDER BY seq DESC LIMIT 1", (run_id,)
        )
        for seq, data in rows:
            lines = unpack(bytes(data), f"run {run_id}, part {seq}")
            if not lines or not isinstance(lines[-1], RunEnd):
                return
            kept, key = lines[:-1], (run_id, seq)
            if kept:
                self._database.query(
                    "UPDATE chunk SET data = ?, lines = ? WHERE run_id = ? AND seq = ?",
                    (pack(kept), len(kept), *key),
                )
            else:
                self._database.query("DELETE FROM chunk WHERE run_id = ? AND seq = ?", key)
            self._database.query("UPDATE run SET stopped = ? WHERE id = ?", (_UNFINISHED, run_id))

    def _add_tags(self, run_id: str, tags: Sequence[str]) -> None:
        for tag in dict.fromkeys(tags):
            self._database.query(
                "INSERT INTO tag (run_id, tag) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (run_id, tag),
            )


class SqlSink:
    """Gathers lines; each flush is one transaction and one chunk."""

    def __init__(self, database: Database, run_id: str, seq: int) -> None:
        self._database = database
        self._run_id = run_id
        self._seq = seq
        self._lines: list[Line] = []

    def add(self, line: Line) -> None:
        """See ``Sink.add``."""
        self._lines.append(line)

    def flush(self) -> None:
        """See ``Sink.flush``: when this returns, the lines are committed."""
        lines = self._lines
        if not lines:
            return
        requests = failed = 0
        stopped = _UNFINISHED
        for line in lines:
            if isinstance(line, Request):
                requests += 1
                failed += line.error is not None
            elif isinstance(line, RunEnd):
                stopped = line.stopped
        try:
            with self._database.transaction():
                self._database.query(
                    "INSERT INTO chunk (run_id, seq, lines, data) VALUES (?, ?, ?, ?)",
                    (self._run_id, self._seq, len(lines), pack(lines)),
                )
                self._database.query(
                    "UPDATE run SET requests = requests + ?, failed = failed + ?, stopped = ? "
                    "WHERE id = ?",
                    (requests, failed, stopped, self._run_id),
                )
        except StoreError as error:
            if self._database.is_taken(error):
                raise StoreError(f"another program writes run {self._run_id} as well") from None
            if not self._is_there():
                raise StoreError(f"run {self._run_id} was deleted while it was written") from None
            raise
        self._seq += 1
        self._lines = []

    def close(self) -> None:
        """See ``Sink.close``."""
        self.flush()

    def _is_there(self) -> bool:
        with suppress(StoreError):
            return bool(self._database.query("SELECT 1 FROM run WHERE id = ?", (self._run_id,)))
        return True  # the first error says more


def _stored(row: Sequence[Any], tags: Sequence[str]) -> StoredRun:
    run_id, created, experiment, model, engine, target, requests, failed, stopped = row
    return StoredRun(
        id=run_id,
        created=created,
        experiment=experiment,
        model=model,
        engine=engine,
        target=target,
        requests=int(requests),
        failed=int(failed),
        ended=stopped,
        tags=tuple(tags),
    )
