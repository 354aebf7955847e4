"""What is learnt about the machine, and why something was not."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec
import pytest

from chimera.measure.environment import HostName, capture_environment, read_pressure, utc_now
from chimera.record.environment import Environment


def test_what_is_missing_has_a_reason_and_what_is_known_has_none() -> None:
    found = capture_environment()
    values = msgspec.structs.asdict(found)
    missing = {name for name, value in values.items() if value is None}
    reasons = {name for name in found.not_learnt if not name.startswith("packages.")}
    assert missing == reasons
    assert all(found.not_learnt.values())
    assert not [v for v in values.values() if v == 0]


def test_it_survives_the_file() -> None:
    found = capture_environment()
    assert msgspec.json.decode(msgspec.json.encode(found), type=Environment) == found


@pytest.mark.parametrize("how", ["hash", "plain", "omit"])
def test_the_hosts_name_is_told_only_when_asked(how: HostName) -> None:
    found = capture_environment(how)
    again = capture_environment(how)
    name = socket.gethostname()
    assert found.host == again.host
    if how == "plain":
        assert found.host == name
    else:
        assert name not in msgspec.json.encode(found).decode()
    if how == "omit":
        assert found.not_learnt["host"] == "left out on request"


def test_pressure_is_read_from_the_kernels_words(tmp_path: Path) -> None:
    path = tmp_path / "cpu"
    path.write_text(
        "some avg10=1.53 avg60=12.07 avg300=0.44 total=123456789\n"
        "full avg10=9.00 avg60=9.00 avg300=9.00 total=9\n"
    )
    pressure = read_pressure(path)
    assert pressure is not None
    assert (pressure.avg10, pressure.avg60, pressure.total_us) == (1.53, 12.07, 123_456_789)


@pytest.mark.parametrize("content", [None, "", "some avg10=nonsense\n"])
def test_no_pressure_is_none(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "cpu"
    if content is not None:
        path.write_text(content)
    assert read_pressure(path) is None


def test_times_are_utc() -> None:
    now = utc_now()
    assert now.endswith("Z")
    assert len(now) == len("2026-01-02T03:04:05.000006Z")
