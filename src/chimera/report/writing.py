"""Writing a report: all of its files or none, whatever happens in between."""

from __future__ import annotations

import errno
import os
import secrets
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from chimera.errors import OutputError

_NEXT_STEP = {
    errno.EACCES: "choose another folder with --output, or change its permissions",
    errno.EPERM: "choose another folder with --output, or change its permissions",
    errno.EROFS: "it is read-only; choose another folder with --output",
    errno.ENOSPC: "free some space, or choose another disk with --output",
    errno.EDQUOT: "free some of your quota, or choose another disk with --output",
    errno.EFBIG: "raise the limit on file size (ulimit -f), or choose another disk with --output",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another folder with --output",
    errno.EEXIST: "a file stands where a folder is needed; choose another folder with --output",
    errno.EISDIR: "a folder stands where the file is to go; choose another with --output",
    errno.ENAMETOOLONG: "choose a shorter name with --output",
}


def write_report(folder: str | Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write ``files`` (plain names to contents) into ``folder``, all of them or none.

    The folder is made when it is missing. Each file is written beside its place under a hidden
    name and synced, and only when all are there does the first take its final name. On any error
    the hidden files and folders made here are removed and an earlier report stays as it was.

    Returns the paths in the order of ``files``. Raises OutputError with the path, the reason and
    the next step; KeyboardInterrupt passes through after the same cleaning up.
    """
    folder = Path(folder)
    for name in files:
        if name in ("", ".", "..") or Path(name).name != name or "\0" in name:
            raise OutputError(f"cannot write {name!r}: not a plain file name")
    work = _Work(folder, secrets.token_hex(4))
    try:
        work.make_folder()
        for name, content in files.items():
            work.write(name, content)
        with _uninterrupted():
            work.publish()
            work.clean()
    except OSError as error:
        with _uninterrupted():
            work.undo()
        raise _explained(error, work) from error
    except BaseException:
        with _uninterrupted():
            work.undo()
        raise
    return [folder / name for name in files]


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Keep Ctrl-C waiting for the moment of renaming or cleaning up, where the system can."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Work:
    """What one call has put on the disk so far.

    A path is noted before it is created, so that an interrupt in between cannot lose it.
    """

    def __init__(self, folder: Path, token: str) -> None:
        self.folder = folder
        self.token = token
        self.made: list[Path] = []  # folders, outermost first
        self.new: dict[Path, Path] = {}  # final name -> hidden file with the new content
        self.old: dict[Path, Path] = {}  # final name -> hidden link to the earlier content
        self.published: list[Path] = []  # final names taken, to give back on an error

    def make_folder(self) -> None:
        missing = [p for p in (self.folder, *self.folder.parents) if not p.exists()]
        for path in reversed(missing):
            self.made.append(path)
            path.mkdir(exist_ok=True)
        if not self.folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(self.folder))

    def write(self, name: str, content: bytes) -> None:
        final = self.folder / name
        if final.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(final))
        hidden = self._hidden("new", len(self.new))
        self.new[final] = hidden
        try:
            with open(hidden, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            error.filename = error.filename or str(final)
            raise

    def publish(self) -> None:
        for final in self.new:
            if final.exists() or final.is_symlink():
                self.old[final] = self._hidden("old", len(self.old))
                self._keep(final, self.old[final])
        for final, hidden in self.new.items():
            self.published.append(final)
            os.replace(hidden, final)
        self._sync_folder()
        self.published = []  # from here on there is nothing to undo

    @staticmethod
    def _keep(final: Path, backup: Path) -> None:
        try:
            os.link(final, backup, follow_symlinks=False)
        except OSError:  # a file system without links: a copy does as well
            backup.write_bytes(final.read_bytes())

    def _sync_folder(self) -> None:
        # The content is safe already; not every file system can sync a folder.
        with suppress(OSError):
            handle = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def undo(self) -> None:
        for final in self.published:
            with suppress(OSError):
                if final in self.old:
                    os.replace(self.old[final], final)
                elif not self.new[final].exists():  # it was renamed
                    final.unlink(missing_ok=True)
        self.clean()
        for path in reversed(self.made):
            with suppress(OSError):
                path.rmdir()

    def clean(self) -> None:
        for path in (*self.new.values(), *self.old.values()):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _hidden(self, kind: str, number: int) -> Path:
        # Not made from the final name, which may be as long as the file system allows.
        return self.folder / f".chimera-{self.token}-{number}.{kind}"


def _explained(error: OSError, work: _Work) -> OutputError:
    """The error in words, about the file that was asked for and not our hidden one."""
    finals = {str(hidden): final for final, hidden in (*work.new.items(), *work.old.items())}
    path = str(finals.get(str(error.filename), error.filename or work.folder))
    reason = error.strerror or str(error)
    step = _NEXT_STEP.get(error.errno or 0, "choose another folder with --output")
    return OutputError(f"cannot write {path!r}: {reason}; {step}")
