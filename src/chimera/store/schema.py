"""The tables, and how an older database becomes a newer one.

Each version is a list of statements; ``{blob}`` is the database's type of bytes. A version that
has been released is never changed: a change is a new version. Versions are applied one by one,
each in a transaction.

History:

    1   runs and their samples in chunks
    2   tags
"""

from __future__ import annotations

VERSIONS: dict[int, tuple[str, ...]] = {
    1: (
        """CREATE TABLE run (
            id TEXT PRIMARY KEY,
            created TEXT NOT NULL,
            experiment TEXT NOT NULL,
            model TEXT NOT NULL,
            engine TEXT NOT NULL,
            target TEXT NOT NULL,
            header {blob} NOT NULL,
            requests BIGINT NOT NULL DEFAULT 0,
            failed BIGINT NOT NULL DEFAULT 0,
            stopped TEXT NOT NULL DEFAULT 'unfinished'
        )""",
        """CREATE TABLE chunk (
            run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            seq BIGINT NOT NULL,
            lines BIGINT NOT NULL,
            data {blob} NOT NULL,
            PRIMARY KEY (run_id, seq)
        )""",
        "CREATE INDEX run_created ON run (created)",
    ),
    2: (
        """CREATE TABLE tag (
            run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            tag TEXT NOT NULL,
            PRIMARY KEY (run_id, tag)
        )""",
        "CREATE INDEX run_experiment ON run (experiment)",
    ),
}
NEWEST = max(VERSIONS)
