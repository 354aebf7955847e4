"""Counting tokens with the tokenizer of the target that will be measured."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from chimera.engines.base import Engine
from chimera.engines.targets import Access, open_target


class TargetCounter:
    """Counts tokens as ``target`` does. Its engine is started at the first count, not before.

    Most workloads count nothing and start nothing. Where one does, the model has been loaded
    once when the bench begins; the bench still starts engines of its own.
    """

    def __init__(self, target: str, access: Access | None = None) -> None:
        self._target = target
        self._access = access
        self._open = ExitStack()
        self._engine: Engine | None = None

    def __call__(self, text: str) -> int | None:
        """Tokens of ``text``, None where the target does not tell.

        Raises:
            InputError: there is no such target.
            EngineError: it cannot be started, or fails.
        """
        if self._engine is None:
            self._engine = open_target(self._target, access=self._access)
            self._open.callback(self._engine.close)
            self._engine.start()
        return self._engine.count_tokens(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()
