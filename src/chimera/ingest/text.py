"""From bytes to text: byte order marks, UTF-16, and text that was decoded wrongly before."""

from __future__ import annotations

import codecs

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARKS = frozenset({b"\xef", b"\xff", b"\xfe", b"\0", b"\xc3"})  # what they begin with


def decode(data: bytes) -> tuple[str, str]:
    """(text, how it was decoded). The second is "" for plain UTF-8.

    A file without a mark that is no UTF-8 is read as Windows-1252, which never fails, and said.
    """
    if data[:1] not in _MARKS and b"\0" not in data[:64]:
        try:
            return data.decode("utf-8"), ""
        except UnicodeDecodeError:
            return data.decode("cp1252", "replace"), "Windows-1252 (it is no UTF-8)"
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding.upper().replace("-SIG", " with mark")
            except UnicodeDecodeError:
                return data.decode(encoding, "replace"), encoding.upper() + ", damaged"
    if data.startswith((b"\xc3\xbf\xc3\xbe", b"\xc3\xbe\xc3\xbf")):
        return data.decode("utf-8", "replace"), "UTF-16 that was encoded again as UTF-8"
    if len(data) > 3 and data[:64:2].count(0) * 2 > len(data[:64:2]):
        return data.decode("utf-16-be", "replace"), "UTF-16 without mark"
    if len(data) > 3 and data[1:64:2].count(0) * 2 > len(data[1:64:2]):
        return data.decode("utf-16-le", "replace"), "UTF-16 without mark"
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), "Windows-1252 (it is no UTF-8)"


def is_binary(data: bytes) -> bool:
    """Whether the first bytes are those of no text (NULs outside UTF-16)."""
    head = data[:1024]
    return b"\0" in head and not decode(head)[1].startswith("UTF")


def twice_encoded(text: str) -> str | None:
    """The readable rest of UTF-16 bytes that were taken for Latin text and encoded again.

    None when the text is not of that kind.
    """
    if not text.startswith(("ÿþ", "þÿ")):
        return None
    return text[2:].replace("\0", "").replace("  ", "\n").replace(" ", "").strip() or "(nothing)"
