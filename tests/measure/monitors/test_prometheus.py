"""A server's metrics page: what is read of it, and pages that are none."""

from __future__ import annotations

import math
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.measure.monitors.prometheus import _KNOWN, ServerMetrics, parse_metrics
from chimera.measure.monitors.sources import Unavailable
from tests.engines.wire.lab import request_of, serving

PAGE = """\
# HELP vllm:num_requests_running Number of requests
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a} 7"} 3.0
vllm:num_requests_running{engine="1",model_name="b"} 2.0 1700000000000
vllm:generation_tokens_total{model_name="m"} 1e3 # {trace_id="x"} 0.67
vllm:generation_tokens_created{model_name="m"} 1.7e9
vllm:gpu_cache_usage_perc{engine="0"} 0.25
vllm:kv_cache_usage_perc{engine="0"} 0.25
vllm:kv_cache_usage_perc{engine="1"} 0.5
vllm:num_requests_waiting NaN
vllm:time_to_first_token_seconds_sum +Inf
vllm:prompt_tokens_total many
llamacpp:requests_processing 1
process_cpu_seconds_total 12
"""


def test_known_values_are_read() -> None:
    assert parse_metrics(PAGE) == {
        "requests_running": 6.0,
        "output_tokens_total": 1000.0,
        "kv_cache_share": 0.5,
    }


names = st.sampled_from(sorted(_KNOWN)) | st.from_regex(r"[a-z_:]{1,20}", fullmatch=True)
labels = st.dictionaries(
    st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(max_size=8), max_size=3
)


def line(name: str, label: dict[str, str], value: float) -> str:
    def quoted(text: str) -> str:
        return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    inside = ",".join(f'{key}="{quoted(text)}"' for key, text in label.items())
    return f"{name}{{{inside}}} {value!r}" if label else f"{name} {value!r}"


@given(st.lists(st.tuples(names, labels, st.floats(0, 1e15))))
def test_sums_over_labels_are_right(rows: list[tuple[str, dict[str, str], float]]) -> None:
    expected: dict[str, list[float]] = {}
    for name, _, value in rows:
        if ours := _KNOWN.get(name.replace(":", "_")):
            expected.setdefault(ours, []).append(value)
    found = parse_metrics("\n".join(line(*row) for row in rows))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        wanted = max(values) if name.endswith("_share") else sum(values)
        assert math.isclose(found[name], wanted, rel_tol=1e-9)


@given(st.text() | st.lists(st.tuples(names, labels, st.floats())).map(
    lambda rows: "\n".join(line(*row) for row in rows)))  # fmt: skip
def test_any_text_gives_finite_values_of_known_names(text: str) -> None:
    found = parse_metrics(text)
    assert set(found) <= set(_KNOWN.values())
    assert all(math.isfinite(value) for value in found.values())


def page(answer: bytes, headers: dict[str, str] | None = None) -> ServerMetrics:
    def serve(connection: socket.socket, _number: int) -> None:
        got.append(request_of(connection))
        connection.sendall(answer)

    got: list[bytes] = []
    with serving(serve) as port:
        found = ServerMetrics(f"http://127.0.0.1:{port}/metrics", headers)
    assert got[0].startswith(b"GET /metrics ")
    for name, value in (headers or {}).items():
        assert f"{name}: {value}".encode() in got[0]
    return found


def whole(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def test_a_page_is_read_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # must be passed by
    metrics = page(whole(PAGE.encode()), {"Authorization": "Bearer k"})
    with pytest.raises(Unavailable, match="cannot be read"):
        metrics.read()  # the server has gone meanwhile


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (whole(b"", b"404 Not Found"), "HTTP 404"),
        (whole(b"process_cpu_seconds_total 12\n"), "nothing that is known"),
        (whole(b"\xff\xfe\x00"), "nothing that is known"),
        (b"nonsense\r\n\r\n", "cannot be read"),
        (b"", "cannot be read"),
        (whole(b"x" * 50)[:-10], "nothing that is known"),
    ],
)
def test_a_page_that_is_none(answer: bytes, said: str) -> None:
    with pytest.raises(Unavailable, match=said):
        page(answer)
