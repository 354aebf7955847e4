"""What every page of ours begins with: it loads nothing, and only our own script runs."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from chimera.report.html_text import text

DOCTYPE = "<!doctype html>"


def asset(file: str) -> str:
    """A style sheet or script that stands beside this module."""
    return Path(__file__).with_name(file).read_text(encoding="utf-8")


def head(title: str, style: str, script: str, doctype: str = DOCTYPE) -> str:
    """Everything before the body; ``script`` is the one that the page will hold."""
    return "".join(
        (
            f'{doctype}\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="color-scheme" content="light dark">\n',
            '<meta name="referrer" content="no-referrer">\n',
            f"<title>{text(title)}</title>\n<style>{style}</style>\n</head>\n",
        )
    )


def _policy(style: str, script: str) -> str:
    """Nothing may load, run or be sent, except this very style sheet and this very script."""
    style_hash, script_hash = (
        b64encode(sha256(source.encode()).digest()).decode() for source in (style, script)
    )
    return (
        f"default-src 'none'; style-src 'sha256-{style_hash}'; "
        f"script-src 'sha256-{script_hash}'; base-uri 'none'; form-action 'none'"
    )
