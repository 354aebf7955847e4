"""Readers: one a format. The first whose ``sniff`` knows the content reads the file.

Named formats stand before the general ones; what a file holds counts before what its name says.
"""

from chimera.ingest.readers.base import Content, Reader, Tables
from chimera.ingest.readers.chimera_run import CHIMERA_RUN
from chimera.ingest.readers.delimited import DELIMITED
from chimera.ingest.readers.jsonlike import JSON, JSON_LINES
from chimera.ingest.readers.own_output import OWN_OUTPUT

READERS: tuple[Reader, ...] = (OWN_OUTPUT, CHIMERA_RUN, JSON_LINES, JSON, DELIMITED)

__all__ = ["READERS", "Content", "Reader", "Tables", "read_tables"]


def read_tables(content: Content) -> Tables:
    """(tables of a file, why there are none)."""
    for reader in READERS:
        if reader.sniff(content):
            return reader.read(content)
    return [], "no reader knows its content"
