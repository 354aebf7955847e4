"""Each metric by hand, and None wherever its parts are missing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chimera.record.metrics.decode_throughput import decode_tokens_per_s
from chimera.record.metrics.e2e_latency import e2e_latency_s
from chimera.record.metrics.itl import itl_s
from chimera.record.metrics.prefill_throughput import prefill_tokens_per_s
from chimera.record.metrics.tpot import tpot_s
from chimera.record.metrics.ttft import ttft_s
from chimera.record.request import ErrorClass, Failure, Request, ServerPhases
from tests.measure.samples import MS, REQUEST

FAILURE = Failure(ErrorClass.CUT_STREAM, "cut")


def changed(**changes: Any) -> Request:
    return msgspec.structs.replace(REQUEST, **changes)


def test_ttft_is_from_sent_to_the_first_token_with_text() -> None:
    assert ttft_s(REQUEST) == pytest.approx(0.100)
    assert ttft_s(changed(first_token_ns=111 * MS)) == pytest.approx(0.110)
    assert ttft_s(changed(first_token_ns=None)) is None
    assert ttft_s(changed(sent_ns=None)) is None


def test_e2e_latency_is_to_the_last_token_not_to_the_end() -> None:
    assert e2e_latency_s(REQUEST) == pytest.approx(0.140)
    assert e2e_latency_s(changed(token_ns=())) is None
    assert e2e_latency_s(changed(sent_ns=None)) is None
    assert e2e_latency_s(changed(error=FAILURE)) is None


def test_tpot_leaves_the_first_token_out() -> None:
    assert tpot_s(REQUEST) == pytest.approx(0.040 / 3)
    assert tpot_s(changed(output_tokens=9)) == pytest.approx(0.040 / 8)
    assert tpot_s(changed(output_tokens=1)) is None
    assert tpot_s(changed(output_tokens=None)) is None
    assert tpot_s(changed(error=FAILURE)) is None


def test_decode_throughput_is_the_inverse_of_tpot() -> None:
    assert decode_tokens_per_s(REQUEST) == pytest.approx(75.0)
    assert decode_tokens_per_s(changed(output_tokens=1)) is None
    assert decode_tokens_per_s(changed(token_ns=(101 * MS,) * 4)) is None


def test_itl_is_every_gap_or_none_where_chunks_are_not_tokens() -> None:
    assert itl_s(REQUEST) == pytest.approx([0.010, 0.010, 0.020])
    assert itl_s(changed(chunk_tokens=(1, 1, 2, 1))) is None
    assert itl_s(changed(chunk_tokens=None)) is None
    assert itl_s(changed(token_ns=(5,), chunk_tokens=(1,))) == []


def test_prefill_throughput_counts_evaluated_tokens_only() -> None:
    assert prefill_tokens_per_s(REQUEST) == pytest.approx(250.0)
    assert prefill_tokens_per_s(changed(evaluated_tokens=None)) is None
    assert prefill_tokens_per_s(changed(evaluated_tokens=0)) is None
    assert prefill_tokens_per_s(changed(server=ServerPhases())) is None
