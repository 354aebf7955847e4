"""From a folder of files of any tool to records: every file ends with a visible outcome."""

from chimera.ingest.folder import Document, FileReport, Ingest, ingest_folder
from chimera.ingest.tables import Note

__all__ = ["Document", "FileReport", "Ingest", "Note", "ingest_folder"]
