"""Which Chimera is measuring: its version, and its commit when it runs from a checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

from chimera import __version__
from chimera.record.run import Code

_GIT_S = 10.0


def code_version() -> Code:
    """The running code. Never raises; what git cannot tell is None with the reason."""
    here = Path(__file__).resolve()
    # An installed copy may lie inside a checkout of something else: only if git knows this
    # very file is the commit ours.
    if _git(here.parent, "ls-files", "--error-unmatch", here.name) is None:
        reason = "not run from a git checkout, or this code is not committed"
        return _unknown(reason)
    commit = _git(here.parent, "rev-parse", "HEAD")
    changes = _git(here.parent, "status", "--porcelain")
    if not commit or changes is None:
        return _unknown("git does not say")
    return Code(version=__version__, git_commit=commit, git_dirty=bool(changes))


def _unknown(reason: str) -> Code:
    return Code(
        version=__version__, git_commit=None, git_dirty=None, not_learnt={"git_commit": reason}
    )


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, timeout=_GIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip()
