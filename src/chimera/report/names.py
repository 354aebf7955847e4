"""Names from the data made visible: what cannot be seen, or turns text around, is spelled out."""

from __future__ import annotations

import re
import unicodedata

# Joiners are part of ordinary writing (Persian, emoji), so they stay.
_JOINERS = "\u200c\u200d"
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
_PLAIN = re.compile(r"[\x20-\x7e]*\Z")


def visible(text: str, keep: str = "") -> str:
    r"""``text`` with every control, format and unpaired character spelled out.

    A newline becomes ``\n``, an override of the writing direction ``⟨U+202E⟩``, a byte of a
    file name that is not UTF-8 ``\xff``. Characters in ``keep`` stay as they are.
    The result is one line unless ``keep`` holds a newline, and can always be encoded.
    """
    if _PLAIN.match(text):
        return text
    return "".join(c if c in keep else _shown(c) for c in text)


def _shown(char: str) -> str:
    code = ord(char)
    if char in _ESCAPES:
        return _ESCAPES[char]
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not decode
        return f"\\x{code - 0xDC00:02x}"
    kind = unicodedata.category(char)
    if kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and char not in _JOINERS):
        return f"\u27e8U+{code:04X}\u27e9"
    return char


def slug(text: str) -> str:
    """``text`` as part of an HTML id: lower-case ASCII letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"
