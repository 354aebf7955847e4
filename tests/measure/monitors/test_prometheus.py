"""The reader of the Prometheus text format."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from chimera.measure.monitors.prometheus import Series, series

NAMES = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,12}", fullmatch=True)
LABEL_NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
SERIES = st.builds(
    Series,
    NAMES,
    st.dictionaries(LABEL_NAMES, st.text(max_size=12), max_size=3),
    st.floats(allow_nan=False),
)


def written(one: Series) -> str:
    """As the specification says: backslash, quotation mark and line end are escaped."""

    def escaped(text: str) -> str:
        return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    labels = ",".join(f'{name}="{escaped(value)}"' for name, value in one.labels.items())
    number = {math.inf: "+Inf", -math.inf: "-Inf"}.get(one.value, repr(one.value))
    return f"{one.name}{{{labels}}} {number}" if labels else f"{one.name} {number}"


@given(st.lists(SERIES, max_size=6), st.sampled_from(["", " 1395066363000", ' # {a="b"} 1']))
def test_what_is_written_is_read(wanted: list[Series], after: str) -> None:
    lines = ["# HELP x a {brace}", "# TYPE x counter", ""]
    lines += [written(one) + after for one in wanted]
    assert list(series("\n".join(lines), {one.name for one in wanted})) == wanted


@given(st.text(), st.text(alphabet='a{}="\\, \t1e.', max_size=60))
def test_no_text_is_too_strange(anything: str, near: str) -> None:
    for text in (anything, near, "a" + near, "a{" + near):
        for one in series(text, {"a", "aa"}):
            assert one.name in ("a", "aa")


def test_only_what_is_asked_for_is_read() -> None:
    text = "a 1\nab 2\na_sum 3\n  a\t4 1395066363000\na{} 5\n"
    assert [(one.name, one.value) for one in series(text, {"a"})] == [("a", 1), ("a", 4), ("a", 5)]


def test_a_line_of_any_length_fails_at_once() -> None:
    assert list(series('a{b="' + "\\" * 1_000_001, {"a"})) == []
    assert list(series("a{" + 'b="c",' * 200_000, {"a"})) == []
