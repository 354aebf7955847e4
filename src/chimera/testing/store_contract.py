"""What every store must do, as tests: inherit from ``StoreContract`` and give two fixtures.

    @pytest.fixture
    def url(tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/runs.db"  # an empty store for each test

    @pytest.fixture
    def database() -> Callable[[str], Database]:
        return lambda url: SqliteDatabase(Path(url.removeprefix("sqlite:///")))

    class TestSqlite(StoreContract): ...

Processes that other tests start use the same URL. ``database`` opens what a URL means without
upgrading it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chimera.errors import FormatError, InputError, StoreError
from chimera.record.run import ModelIdentity, Run
from chimera.record.runfile import Line
from chimera.store.chunks import pack
from chimera.store.contract import Store
from chimera.store.database import Database
from chimera.store.opening import open_store
from chimera.store.schema import NEWEST, VERSIONS
from chimera.testing.killed_writers import kill_round
from chimera.testing.sample_run import (
    BLOCK,
    START,
    WATCHED,
    sample_end,
    sample_request,
    sample_run,
)

OpenDatabase = Callable[[str], Database]
LINES: tuple[Line, ...] = (
    START,
    sample_request(0),
    sample_request(1, failed=True),
    sample_request(2, tokens=0),
    WATCHED,
    BLOCK,
)
ENDED = (*LINES, sample_end(3, 1))


def put(store: Store, run: Run, *parts: Sequence[Line], tags: Sequence[str] = ()) -> None:
    """Store a run; each part is flushed by itself."""
    sink = store.begin(run, tags=tags)
    for part in parts:
        for line in part:
            sink.add(line)
        sink.flush()
    sink.close()


class StoreContract:
    """The contract of ``chimera.store.contract.Store``."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        with open_store(url) as store:
            yield store

    # --- writing and reading

    def test_what_is_written_is_read(self, store: Store, url: str) -> None:
        run = sample_run()
        put(store, run, ENDED[:2], ENDED[2:])
        with open_store(url) as other:
            file = other.read(run.id)
            assert list(other.lines(run.id)) == list(ENDED)
            assert other.header(run.id) == run
        assert file.run == run
        assert (file.starts, file.blocks, file.watched) == ((START,), (BLOCK,), (WATCHED,))
        assert file.requests == ENDED[1:4]
        assert file.end == ENDED[-1]
        assert file.notes == ()

    def test_a_flush_is_seen_by_others_and_what_is_not_flushed_is_not(
        self, store: Store, url: str
    ) -> None:
        sink = store.begin(sample_run("one"))
        with open_store(url) as other:
            sink.add(sample_request(0))
            assert other.read("one").requests == ()
            sink.flush()
            assert other.read("one").requests == (sample_request(0),)
            sink.add(sample_request(1))
            sink.close()
            sink.close()
            assert len(other.read("one").requests) == 2

    def test_a_header_without_samples(self, store: Store) -> None:
        sink = store.begin(sample_run("bare"))
        sink.flush()
        file = store.read("bare")
        assert (file.requests, file.end) == ((), None)
        assert "no end line" in file.notes[0]
        assert [(run.requests, run.ended) for run in store.runs()] == [(0, "unfinished")]

    def test_an_id_is_taken_once(self, store: Store) -> None:
        put(store, sample_run("one"), ENDED)
        with pytest.raises(InputError, match="holds a run one already"):
            store.begin(sample_run("one"))
        assert list(store.lines("one")) == list(ENDED)

    @pytest.mark.parametrize("use", ["read", "header", "lines", "resume", "delete"])
    def test_a_run_that_is_not_there(self, store: Store, use: str) -> None:
        with pytest.raises(InputError, match="no run 'none'"):
            getattr(store, use)("none")

    def test_texts_are_kept_as_they_are(self, store: Store) -> None:
        odd = "Grüße '; DROP TABLE run; -- % ? {} \\ \n 世界 🎉"
        put(store, sample_run("odd", experiment=odd, target=odd), ENDED, tags=(odd,))
        (listed,) = store.runs(experiment=odd, tag=odd)
        assert (listed.experiment, listed.target, listed.tags) == (odd, odd, (odd,))
        assert store.header("odd").experiment == odd

    # --- listing and finding

    def test_runs_are_filtered_and_the_newest_is_first(self, store: Store) -> None:
        model = ModelIdentity(name="other")
        changed: list[dict[str, Any]] = [
            {"experiment": "a"},
            {"experiment": "a", "engine": "vllm"},
            {"model": model},
        ]
        for n, changes in enumerate(changed):
            zero = f"2026-01-0{n + 1}T00:00:00.000000Z"
            put(store, sample_run(f"run{n}", zero_utc=zero, **changes), ENDED, tags=("t", f"t{n}"))

        def ids(**wanted: Any) -> list[str]:
            return [run.id for run in store.runs(**wanted)]

        assert ids() == ["run2", "run1", "run0"]
        assert ids(limit=2) == ["run2", "run1"]
        assert ids(limit=0) == []
        assert ids(experiment="a") == ["run1", "run0"]
        assert ids(experiment="a", engine="vllm") == ["run1"]
        assert ids(model="other") == ["run2"]
        assert ids(tag="t0") == ["run0"]
        assert ids(tag="t", limit=1) == ["run2"]
        assert ids(tag="none") == []
        first = store.runs()[-1]
        assert (first.requests, first.failed, first.ended) == (3, 1, "complete")
        assert first.tags == ("t", "t0")
        assert first.created == "2026-01-01T00:00:00.000000Z"

    def test_find(self, store: Store) -> None:
        with pytest.raises(InputError, match="holds no run"):
            store.find("latest")
        for n, name in enumerate(("abcd-1", "abcd-12", "abce-1", "x%_z")):
            put(store, sample_run(name, zero_utc=f"2026-01-0{n + 1}T00:00:00Z"))
        assert store.find("abcd-1") == "abcd-1"
        assert store.find("abcd-12") == "abcd-12"
        assert store.find("abce") == "abce-1"
        assert store.find("latest") == "x%_z"
        with pytest.raises(InputError, match="several runs: abcd-1, abcd-12"):
            store.find("abcd")
        for none in ("abcf", "%", "abc%", "", "abc_", "ABCE"):
            with pytest.raises(InputError, match="no run"):
                store.find(none)

    def test_tags(self, store: Store) -> None:
        put(store, sample_run("one"), tags=("b", "b"))
        store.tag("one", ["a", "b", "a"])
        assert store.runs()[0].tags == ("a", "b")
        store.untag("one", ["b", "never"])
        assert store.runs()[0].tags == ("a",)
        for change in (store.tag, store.untag):
            with pytest.raises(InputError, match="no run 'none'"):
                change("none", ["a"])

    def test_a_deleted_run_leaves_nothing(self, store: Store) -> None:
        put(store, sample_run("one"), ENDED, tags=("t",))
        put(store, sample_run("two"), ENDED, tags=("t",))
        store.delete("one")
        assert [run.id for run in store.runs()] == ["two"]
        put(store, sample_run("one"), LINES[:1])
        assert list(store.lines("one")) == [START]
        assert store.runs(tag="t")[0].id == "two"

    def test_a_run_deleted_while_it_is_written_is_said(self, store: Store, url: str) -> None:
        sink = store.begin(sample_run("one"))
        with open_store(url) as other:
            other.delete("one")
        sink.add(sample_request(0))
        with pytest.raises(StoreError, match="run one"):
            sink.flush()
        assert store.runs() == []

    # --- going on

    def test_a_killed_run_goes_on(self, store: Store, url: str) -> None:
        sink = store.begin(sample_run("one"))
        sink.add(START)
        sink.flush()
        sink.add(sample_request(0))
        sink.flush()
        with open_store(url) as other:
            file, again = other.resume("one")
            assert file.requests == (sample_request(0),)
            for line in (sample_request(1), sample_end(2)):
                again.add(line)
            again.close()
            assert len(other.read("one").requests) == 2
            assert [run.ended for run in other.runs()] == ["complete"]

    @pytest.mark.parametrize("alone", [False, True])
    def test_an_interrupted_run_goes_on_without_its_end(self, store: Store, alone: bool) -> None:
        end = sample_end(1, interrupted=True)
        parts = ([sample_request(0)], [end]) if alone else ([sample_request(0), end],)
        put(store, sample_run("one"), *parts)
        assert store.runs()[0].ended == "interrupted"
        for _ in range(2):  # it is killed at once, and goes on again
            file, sink = store.resume("one")
            assert (file.end, file.requests) == (None, (sample_request(0),))
            assert store.runs()[0].ended == "unfinished"
        for line in (sample_request(1), sample_end(2)):
            sink.add(line)
        sink.close()
        assert store.read("one").end == sample_end(2)
        assert (store.runs()[0].requests, store.runs()[0].ended) == (2, "complete")

    def test_a_complete_run_does_not_go_on(self, store: Store) -> None:
        put(store, sample_run("one"), ENDED)
        with pytest.raises(InputError, match="run one is complete"):
            store.resume("one")
        assert list(store.lines("one")) == list(ENDED)

    # --- several at once

    def test_two_writers_of_one_run(self, store: Store, url: str) -> None:
        first = store.begin(sample_run("one"))
        with open_store(url) as other:
            _, second = other.resume("one")
            second.add(sample_request(0))
            second.flush()
            first.add(sample_request(0, tokens=9))
            with pytest.raises(StoreError, match="another program writes run one"):
                first.flush()
            second.add(sample_request(1))
            second.close()
        assert store.read("one").requests == (sample_request(0), sample_request(1))
        assert store.runs()[0].requests == 2

    def test_many_writers_at_once(self, url: str) -> None:
        """They also meet while the store is new and everyone wants to make its tables."""
        wrong: list[BaseException] = []
        together = threading.Barrier(6)

        def work(name: str) -> None:
            try:
                together.wait(30)
                with open_store(url) as mine:
                    sink = mine.begin(sample_run(name))
                    for index in range(30):
                        sink.add(sample_request(index))
                        sink.flush()
                    sink.close()
            except BaseException as error:  # noqa: BLE001 - shown by the test
                wrong.append(error)

        threads = [threading.Thread(target=work, args=(f"run{n}",)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        with open_store(url) as store:
            assert len(store.runs()) == 6
            for run in store.runs():
                assert store.read(run.id).requests == tuple(map(sample_request, range(30)))

    @pytest.mark.parametrize("number", range(3))
    def test_kills_lose_nothing(self, url: str, tmp_path: Path, number: int) -> None:
        done = kill_round(url, tmp_path, f"killed{number}", seed=number)
        assert done.promised > 0
        assert (done.lost, done.broken) == (0, [])

    # --- the schema, and what is broken

    def test_a_store_of_version_1_is_upgraded(self, url: str, database: OpenDatabase) -> None:
        older = database(url)
        run = sample_run("old1")
        with older.transaction():
            older.query("CREATE TABLE schema_version (version BIGINT NOT NULL)")
            older.query("INSERT INTO schema_version (version) VALUES (1)")
            for statement in VERSIONS[1]:
                older.query(statement.format(blob=older.blob))
            older.query(
                "INSERT INTO run VALUES (?, ?, '', 'm', 'llamacpp', 'llamacpp', ?, 3, 1, ?)",
                (run.id, run.zero_utc, msgspec.json.encode(run), "complete"),
            )
            older.query("INSERT INTO chunk VALUES (?, 0, ?, ?)", (run.id, 7, pack(ENDED)))
        older.close()
        with open_store(url) as store:
            assert store.read(run.id).requests == ENDED[1:4]
            store.tag(run.id, ["kept"])
            assert [(r.id, r.requests, r.tags) for r in store.runs()] == [("old1", 3, ("kept",))]
        with open_store(url) as again:
            assert again.runs()[0].tags == ("kept",)

    def test_a_newer_store_is_refused(self, url: str, database: OpenDatabase) -> None:
        open_store(url).close()
        newer = database(url)
        newer.query("UPDATE schema_version SET version = ?", (NEWEST + 1,))
        with pytest.raises(StoreError, match=rf"version {NEWEST + 1} .* update chimera-lab"):
            open_store(url)
        assert newer.query("SELECT version FROM schema_version") == [(NEWEST + 1,)]
        newer.close()

    @pytest.mark.parametrize("data", [b"", b"\xc1", b"no chunk", pack(ENDED)[:-3], b"\x91\x80"])
    def test_a_broken_chunk(
        self, store: Store, url: str, database: OpenDatabase, data: bytes
    ) -> None:
        put(store, sample_run("one"), LINES[:2], LINES[2:3])
        put(store, sample_run("two"), ENDED)
        raw = database(url)
        raw.query("UPDATE chunk SET data = ? WHERE run_id = 'one' AND seq = 1", (data,))
        raw.close()
        for use in (store.read, store.resume, lambda name: list(store.lines(name))):
            with pytest.raises(FormatError, match="run one, part 1"):
                use("one")
        assert len(store.read("two").requests) == 3
        assert len(store.runs()) == 2
        store.delete("one")

    def test_a_broken_header(self, store: Store, url: str, database: OpenDatabase) -> None:
        put(store, sample_run("one"), ENDED)
        raw = database(url)
        raw.query("UPDATE run SET header = ?", (b'{"id": 1}',))
        raw.close()
        for use in (store.read, store.header):
            with pytest.raises(FormatError, match="run one: a header"):
                use("one")

    def test_a_closed_store(self, url: str) -> None:
        store = open_store(url)
        store.close()
        store.close()
        with pytest.raises(StoreError):
            store.runs()
