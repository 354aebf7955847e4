"""What a request carries so that a server lets it in, and the care that nobody else sees it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from chimera.engines.base import Completion, RequestFailed
from chimera.engines.wire.address import Address
from chimera.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PRINTABLE = re.compile(r"[\x21-\x7e]+( +[\x21-\x7e]+)*")
_HIDDEN = "[key]"
# Servers quote a key cut short or with its middle starred out, so its beginning is looked for. A
# key shorter than that is looked for as a word; what is shorter still is in too many words.
_BEGINNING = 8
_SHORTEST = 4
_REST = r"[\w.*+/=~-]*"

T = TypeVar("T")


class Credentials:
    """A key and further headers for one server. Neither shows in ``repr``.

    ``key_env`` names an environment variable, ``key_file`` a file that holds nothing but the
    key; of neither, ``default_env`` is looked at, whose key goes only over an encrypted
    connection or to this machine: who exported it for one service did not mean to send it
    readable to another. ``source`` says in words where the key is from, None without one.

    Raises:
        InputError: what was named holds no key, or a header or key has characters that no
            header can hold. The message never shows a value.
    """

    __slots__ = ("_headers", "_key_alone", "_marks", "_secrets", "source", "withheld")

    def __init__(
        self,
        address: Address,
        *,
        key_env: str | None = None,
        key_file: Path | None = None,
        default_env: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.source: str | None = None
        self.withheld = False
        self._headers: dict[str, str] = {}
        key = self._key(key_env, key_file)
        if key is None and default_env is not None and os.environ.get(default_env, "").strip():
            if address.scheme == "https" or address.is_local:
                key = self._key(default_env, None)
            else:
                self.withheld = True
        if key is not None:
            self._headers["Authorization"] = f"Bearer {_sendable(key, str(self.source))}"
        for name, value in (headers or {}).items():
            if not _NAME.fullmatch(name):
                raise InputError(f"{name!r} cannot be the name of a header")
            self._headers[name] = _sendable(value.strip(), f"the header {name}")
        self._key_alone = _pattern(key, [])
        values = list((headers or {}).values())
        self._secrets = _pattern(key, values)
        self._marks = tuple(text[:_BEGINNING].encode() for text in _secret(key, values))

    def _key(self, env: str | None, file: Path | None) -> str | None:
        if env is not None and file is not None:
            raise InputError("a key comes from an environment variable or from a file, not both")
        if env is not None:
            if not _VARIABLE.fullmatch(env):  # perhaps the key itself: it is not shown
                raise InputError("a key is given by the name of its variable, not by itself")
            key = os.environ.get(env, "").strip()
            if not key:
                raise InputError(f"the environment variable {env} holds no key")
            self.source = f"the environment variable {env}"
            return key
        if file is None:
            return None
        try:
            key = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise InputError(f"cannot read a key from the file {str(file)!r}: {why}") from None
        if not key:
            raise InputError(f"the file {str(file)!r} holds no key")
        self.source = f"the file {file.name!r}"
        return key

    def headers(self) -> dict[str, str]:
        """The headers of a request; for the wire only."""
        return dict(self._headers)

    def marks(self) -> tuple[bytes, ...]:
        """What every text holds that quotes a secret as ``hide`` would find it."""
        return self._marks

    def hide(self, value: T) -> T:
        """``value`` (text, or JSON in Python's types) with every secret in it replaced."""
        if self._secrets is None:
            return value
        return cast(T, _hidden(value, self._secrets))

    def hide_key(self, value: T) -> T:
        """``value`` with the key alone replaced: values of other headers may be ordinary words,
        and stay where they stand in a model's name or text.
        """
        return value if self._key_alone is None else cast(T, _hidden(value, self._key_alone))

    def hide_in_answer(self, done: Completion) -> Completion:
        """The same answer without the key, should a server have quoted it."""
        if self._key_alone is None:
            return done
        return msgspec.structs.replace(
            done,
            text=self.hide_key(done.text),
            reasoning=self.hide_key(done.reasoning),
            raw_request=self.hide_key(done.raw_request),
            raw_reply=self.hide_key(done.raw_reply),
            finish_reason=self.hide_key(done.finish_reason),
        )

    def hide_in_failure(self, error: RequestFailed) -> RequestFailed:
        """The same failure without what a server may have quoted of a key."""
        partial = error.partial and self.hide_in_answer(error.partial)
        return RequestFailed(
            error.error_class, self.hide(error.text), partial, http_status=error.http_status
        )

    def __reduce__(self) -> str:
        raise TypeError("credentials must not be copied to a file or another process")

    def __repr__(self) -> str:
        return f"Credentials(source={self.source!r}, headers={len(self._headers)})"


def _sendable(value: str, what: str) -> str:
    if not _PRINTABLE.fullmatch(value):
        raise InputError(f"{what} holds something that cannot be sent in a header")
    return value


def _pattern(key: str | None, values: list[str]) -> re.Pattern[str] | None:
    """What finds a key, also its beginning with anything behind it, and whole values of headers."""
    found = []
    if key is not None and len(key) >= _BEGINNING:
        # The whole one first: it may hold characters that end what is taken for its rest.
        found += [re.escape(key) + _REST, re.escape(key[:_BEGINNING]) + _REST]
    elif key is not None and len(key) >= _SHORTEST:
        found.append(rf"(?<!\w){re.escape(key)}(?!\w)")
    found += [re.escape(part) for part in _secret(None, values)]
    return re.compile("|".join(found)) if found else None


def _secret(key: str | None, values: list[str]) -> list[str]:
    """The key and the parts of headers that are looked for, the longest of each value first."""
    found = [key] if key is not None and len(key) >= _SHORTEST else []
    for value in values:
        parts = {part for part in (value.strip(), *value.split()) if len(part) >= _BEGINNING}
        found += sorted(parts, key=len, reverse=True)
    return found


def _hidden(value: Any, secrets: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return secrets.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {_hidden(k, secrets): _hidden(v, secrets) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_hidden(v, secrets) for v in value)
    return value
