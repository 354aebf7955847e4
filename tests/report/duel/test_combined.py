"""What the reports of a duel say, of duels whose every time is known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from chimera.agents.duel.contest import Duel
from chimera.report.duel.combined import Combined, combined
from chimera.report.duel.overview import overview
from chimera.report.html import to_html
from chimera.report.json_report import to_json
from chimera.report.ledger import verify
from chimera.report.markdown import to_markdown
from tests.agents.duel.turns import duel

ALONE = [(2.0, 4.0), (2.02, 4.1), (1.98, 4.05), (2.01, 3.95)]
FREE = [(2.1, 4.2), (2.12, 4.25), (2.09, 4.22)]
CROWDED = [(9.0, 9.1), (9.4, 9.3), (9.2, 9.5)]


def made(
    together: Sequence[Sequence[float]],
    scenario: str = "chimera_homo",
    cores: float = 1.0,
    alone: Sequence[Sequence[float]] = ALONE,
) -> Combined:
    """A duel on a machine of two processors whose engines keep ``cores`` of them busy alone."""
    known = duel(alone, together)
    known.environment = replace(known.environment, usable_cpus=2)
    known.plan = replace(known.plan, scenario=scenario)
    known.turns = [
        replace(t, engine_cpu_s=t.total_s * (cores if t.kind == "alone" else 1.0))
        for t in known.turns
    ]
    return combined(known, {}, {})


def text(one: Combined) -> str:
    verify(one.report)
    to_html(one.report)
    to_json(one.report)
    return to_markdown(one.report)


def test_a_gain_and_a_loss_are_told_apart() -> None:
    assert made(FREE).verdict == "together takes less time than one after the other"
    assert made(CROWDED).verdict == "together takes more time than one after the other"
    uncertain = [(3.0, 5.0), (4.0, 9.0), (3.5, 6.5)]
    assert made(uncertain).verdict.endswith("cannot be told apart")
    assert made(FREE[:2], alone=ALONE[:3]).verdict.startswith("no verdict")


def test_the_sign_of_a_difference_is_said_in_words() -> None:
    said = text(made(FREE))
    rows = [
        line for line in said.splitlines() if "B − A, together" in line and "In words" not in line
    ]
    by_figure = {row.split("|")[1].strip(): row for row in rows}
    assert "+2.1" in by_figure["workflow duration"]
    assert "B takes longer than A" in by_figure["workflow duration"]
    assert "B waits longer for the first token than A" in by_figure["TTFT"]
    assert re.search(r"-2\d\.\d+ tokens/s.*B decodes slower than A", by_figure["decode throughput"])


def test_what_a_phase_lost_is_a_row_with_its_verdict() -> None:
    said = text(made(CROWDED))
    decode = next(
        line for line in said.splitlines() if re.match(r"\| A +\| decode ", line)
    )  # half of a workflow
    assert "+3.599 s" in decode
    assert "more than alone" in decode
    assert "Agent A's workflow took 4.594 times as long as alone" in said
    assert "of the phases decode changed by most" in said


def test_engines_that_ask_for_more_than_there_is_are_said_to_share() -> None:
    crowded, free = text(made(CROWDED, cores=1.9)), text(made(FREE, cores=1.0))
    assert "added up 3.8" in crowded
    assert "That is more than there is" in crowded
    assert "That fits" in free


def test_the_earlier_formula_has_its_name_and_its_reason() -> None:
    said = text(made(CROWDED))
    assert "sum of concurrent durations over wall time" in said
    assert re.search(r"1\.9\d+ for 2 agents", said)
    assert "whatever happens" in said


def test_scenarios_side_by_side_say_what_sharing_costs() -> None:
    done = [made(CROWDED, "baseline_vs_chimera", 1.9), made(FREE, "chimera_homo")]
    report = overview(done)
    verify(report)
    to_html(report)
    said = to_markdown(report)
    assert "In baseline vs chimera the engines ask together for more" in said
    assert "in chimera homo each has processors of its own" in said
    assert "their intervals lie apart, so sharing costs" in said
    assert (
        len(re.findall(r"^\| (?:baseline vs chimera|chimera homo) +\| [AB] ", said, re.MULTILINE))
        == 4
    )


def test_scenarios_that_overlap_get_no_verdict() -> None:
    vague = [(3.0, 5.0), (4.0, 9.0), (3.5, 6.5)]
    said = to_markdown(overview([made(vague, "baseline_vs_chimera", 1.9), made(FREE)]))
    assert "so the two cannot be told apart" in said


def test_a_duel_without_any_whole_phase_is_reported_without_a_number_for_it() -> None:
    broken: Duel = duel(ALONE, FREE, failed=frozenset((n, r) for n in "AB" for r in (1, 2, 3)))
    one = combined(broken, {}, {})
    said = text(one)
    assert "There is no speedup to report" in said
    assert one.speedup.speedup.value is None
    assert "No phase together was whole." in said
    assert "the model did not do its part" in said
    to_markdown(overview([one], interrupted=True))


def test_what_the_monitors_saw_is_of_the_turns_that_went_on() -> None:
    known = duel(ALONE, FREE)
    first = known.turns[0]
    middle = (first.start_s + first.end_s) / 2
    known.watched = [
        (middle, "cpu", {"cpu_percent": 60.0}),
        (middle + 0.1, "cpu", {"cpu_percent": 80.0}),
        (1e6, "cpu", {"cpu_percent": 5.0}),
    ]
    known.not_watched = {"pressure": "no such file here"}
    said = text(combined(known, {}, {}))
    row = next(line for line in said.splitlines() if line.startswith("| CPU busy"))
    assert "70%" in row
    assert "5%" not in row.replace("70%", "")
    assert "no such file here" in said
