"""What a client can ask of the mock: options behind a "?" in the model's name.

    mock?ttft_ms=200&itl_ms=20&tokens=64&fault=cut&after=10

The model's name is the one field that every client, SDK and benchmark tool lets its user set,
so each of them can ask for any behaviour without knowing that it talks to a mock.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Milliseconds = Annotated[float, Meta(ge=0, le=3_600_000)]

# Listed in this order by --help. `refuse` is missing: no request reaches a closed port.
FAULTS = (
    "redirect",
    "not_http",
    "slow_accept",
    "slow_headers",
    "error_in_stream",
    "malformed_sse",
    "malformed_json",
    "no_end",
    "cut",
    "stall",
    "never_ends",
    "empty",
    "empty_text",
    "wrong_usage",
)
Fault = Annotated[str, Meta(pattern=f"^(status_[45][0-9][0-9]|{'|'.join(FAULTS)})$")]


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one request is answered. Every field is an option in the model's name.

    ttft_ms    first token after the request's arrival (plus queue and load, if any)
    itl_ms     mean gap between tokens; a chunk of several tokens waits for all of their gaps
    tokens     how many, unless the request asks for fewer
    chunk      tokens in one event
    reasoning  the first N tokens are reasoning (OpenAI) or thinking (Ollama)
    empty      events without text before the first token
    lead_ms    how long before the first token the headers, the role and the empty events are
               sent; None sends them at once, 0 together with the first token
    comments   a comment line before each server-sent event
    usage      what the answer says about its tokens: the truth, too many, nothing
    timings    llama-server's ``timings`` in the last event
    dist       gaps: all alike, or exponential with the mean ``itl_ms``
    jitter     share of a fixed gap by which it varies, evenly (0.2: plus or minus 20%)
    seed       of the gaps, together with the request's id or number
    flat       all tokens after the first as fast as the client takes them
    load_ms    cold start: the first request for a model waits this much longer
    prompt     prompt tokens to report; None counts the prompt's words
    close      the answer ends with its connection (no chunked encoding, no keep-alive)
    fault      what goes wrong
    after      tokens before that; None is half of them (for no_end: all)
    body       a status fault has an error body
    slow_ms    how long slow_accept and slow_headers take
    """

    ttft_ms: Milliseconds = 100.0
    itl_ms: Milliseconds = 20.0
    tokens: Count = 64
    chunk: Positive = 1
    reasoning: Count = 0
    empty: Count = 0
    lead_ms: Milliseconds | None = None
    comments: bool = False
    usage: Literal["right", "wrong", "none"] = "right"
    timings: bool = False
    dist: Literal["fixed", "exp"] = "fixed"
    jitter: Annotated[float, Meta(ge=0, le=1)] = 0.0
    seed: int = 0
    flat: bool = False
    load_ms: Milliseconds = 0.0
    prompt: Count | None = None
    close: bool = False
    fault: Fault | None = None
    after: Count | None = None
    body: bool = True
    slow_ms: Milliseconds = 500.0

    @property
    def status(self) -> int:
        """The HTTP status: 200 but for a status fault."""
        fault = self.fault or ""
        if fault == "redirect":
            return 302
        return int(fault.removeprefix("status_")) if fault.startswith("status_") else 200


class BadBehaviour(ValueError):
    """The model's name asks for something that does not exist."""


def model_base(model: str) -> str:
    """The name without its options: what is loaded, and what the metrics call the model."""
    return model.partition("?")[0]


@lru_cache(maxsize=4096)
def behaviour_of(model: str, defaults: str = "") -> Behaviour:
    """The behaviour that a model's name asks for; ``defaults`` is a query string below it.

    Raises:
        BadBehaviour: an unknown option or value. A typing error must not measure the default.
    """
    query = model.partition("?")[2]
    asked = {**_pairs(defaults), **_pairs(query)}
    try:
        return msgspec.convert(asked, Behaviour, strict=False)
    except msgspec.ValidationError as error:
        raise BadBehaviour(f"the model's name asks for what the mock cannot do: {error}") from None


def _pairs(query: str) -> dict[str, str]:
    query = "&".join(part for part in query.split("&") if part)  # whoever joins may leave a "&"
    try:
        return dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError as error:
        raise BadBehaviour(f"not a query string: {query!r} ({error})") from None
