"""Every path but the ones that give tokens: what the server is, how it is, and the truth."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import msgspec

from chimera import __version__
from chimera.testing.mock_server import metrics, ollama, openai
from chimera.testing.mock_server.places import Places
from chimera.testing.mock_server.settings import Settings
from chimera.testing.mock_server.truth import Truth, TruthLog
from chimera.testing.mock_server.wire import Reply, Request

_Page = Callable[[Request], Reply]
_CONTEXT = 131_072


class Pages:
    """Answers by method and path."""

    def __init__(self, settings: Settings, places: Places, truth: TruthLog) -> None:
        self._settings = settings
        self._places = places
        self._log = truth
        every: dict[str, dict[tuple[str, str], _Page]] = {
            "both": {
                ("GET", "/health"): lambda _: _json({"status": "ok"}),
                ("GET", "/truth"): self._truth,
                ("DELETE", "/truth"): self._clear,
                ("GET", "/truth/summary"): lambda _: _json(self._log.summary()),
            },
            "openai": {
                ("GET", "/metrics"): self._metrics,
                ("GET", "/v1/models"): self._models,
            },
            "ollama": {
                ("GET", "/"): lambda _: Reply(body=b"Ollama is running", kind="text/plain"),
                ("GET", "/api/version"): lambda _: _json({"version": f"0.0.0-mock.{__version__}"}),
                ("GET", "/api/tags"): lambda _: _json({"models": [_tag(settings.model)]}),
                ("GET", "/api/ps"): self._ps,
                ("POST", "/api/show"): self._show,
            },
        }
        other = {"openai": "ollama", "ollama": "openai"}.get(settings.only or "")
        self._pages = {
            k: page for name in every if name != other for k, page in every[name].items()
        }

    def answer(self, request: Request, others: set[str]) -> Reply:
        """``others`` are paths that exist beside these."""
        method = "GET" if request.method == "HEAD" else request.method
        page = self._pages.get((method, request.path))
        if page is not None:
            return page(request)
        known = request.path in others or any(request.path == path for _, path in self._pages)
        status, what = (405, "method") if known else (404, "path")
        message = f"the mock has no such {what}: {request.method} {request.path}"
        return Reply(status=status, body=openai.refusal(status, message))

    def _metrics(self, _: Request) -> Reply:
        places = self._places
        text = metrics.render(
            self._settings.model, places.running, places.waiting, places.share, places.totals()
        )
        return Reply(body=text, kind=metrics.KIND)

    def _models(self, _: Request) -> Reply:
        model = {"id": self._settings.model, "object": "model", "created": 0, "owned_by": "mock"}
        return _json({"object": "list", "data": [model | {"max_model_len": _CONTEXT}]})

    def _ps(self, _: Request) -> Reply:
        more = {"expires_at": "2036-01-01T00:00:00Z", "size_vram": 0, "context_length": _CONTEXT}
        return _json({"models": [_tag(name) | more for name in self._places.loaded()]})

    def _show(self, request: Request) -> Reply:
        try:
            asked = msgspec.json.decode(request.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Reply(status=400, body=ollama.refusal(400, f"not what /api/show takes: {error}"))
        name = asked.get("model") or asked.get("name")
        if not isinstance(name, str):
            return Reply(status=400, body=ollama.refusal(400, "model is required"))
        return _json(
            {
                "details": _tag(name)["details"],
                "model_info": {"general.architecture": "mock", "mock.context_length": _CONTEXT},
                "capabilities": ["completion", "thinking"],
            }
        )

    def _truth(self, _: Request) -> Reply:
        requests = [record.whole() for record in self._log.records]
        return _json(Truth(pid=os.getpid(), requests=requests))

    def _clear(self, _: Request) -> Reply:
        self._log.clear()
        return _json({})


def _json(value: Any) -> Reply:
    return Reply(body=msgspec.json.encode(value))


def _tag(name: str) -> dict[str, Any]:
    """An entry of Ollama's lists of models."""
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-01-01T00:00:00Z",
        "size": 1_000_000_000,
        "digest": "0" * 64,
        "details": {
            "format": "gguf",
            "family": "mock",
            "families": ["mock"],
            "parameter_size": "1B",
            "quantization_level": "Q4_0",
        },
    }
