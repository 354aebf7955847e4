"""Audits made by hand."""

from __future__ import annotations

from typing import Any

from chimera.audit import Audit, Bound, Claim, Place


def claim(text: str, words: str, label: str, *, nth: int = 0, **given: Any) -> Claim:
    """The claim that ``words`` make where they stand for the ``nth`` time."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    given = {"kind": "number", "reason": f"it is {label}", **given}
    return Claim(start=start, end=start + len(words), text=words, label=label, **given)  # type: ignore[arg-type]


TEXT = """# Results

The model **alpha** reaches 14.11 tokens/s, as [told](http://x.test/77) before.

| model | ttft |
|---|---:|
| alpha | 120 ms |
| beta | 99 ms |

1. About 28 runs & <b>more</b>.
2. It is 5 s.

```
code 41
```
"""
PLACE = Place("runs.csv", "7", "eval_rate")
BOUND = Bound("alpha", "decode throughput", "mean", "tokens/s", "num_ctx=512")


def sample(**given: Any) -> Audit:
    """One report with a claim of most labels."""
    claims = (
        claim(TEXT, "14.11 tokens/s", "contradicted", right="114.2 tokens/s", bound=BOUND,
              places=(PLACE,), section="Results", expression="mean(eval_rate)"),
        claim(TEXT, "77", "unverifiable", section="Results"),
        claim(TEXT, "120 ms", "supported", section="Results", places=(PLACE,)),
        claim(TEXT, "99 ms", "misattributed", right="98.5 ms", section="Results"),
        claim(TEXT, "28 runs", "fabricated", kind="count", section="Results"),
        claim(TEXT, "5 s", "inconsistent", right="5 ms", section="Results"),
        claim(TEXT, "41", "derivable", warning="cut off instead of rounded"),
    )  # fmt: skip
    fields: dict[str, Any] = {"name": "report.md", "text": TEXT, "claims": claims, "data": "runs"}
    return Audit(**fields | given)
