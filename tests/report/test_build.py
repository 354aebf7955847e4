"""From an agent's work to a report: sections, contract, and who wrote what."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from chimera.agents.agent import Agent
from chimera.agents.persona import Contract, Persona, load_persona, parse_persona
from chimera.agents.workflow import work
from chimera.facts.text import Num
from chimera.report.build import build_report
from chimera.report.document import Bullets, Chart, Quotation, Report, Table
from chimera.report.ledger import verify
from chimera.report.markdown import to_markdown
from chimera.report.walk import unfold
from tests.agents.folder import make_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("build") / "folder")


def build(folder: Path, persona: Persona) -> tuple[Report, dict[str, bool]]:
    done = work(str(folder), Agent(persona), None)
    report, contract, _ = build_report(done)
    verify(report)
    return report, {demand: met for demand, met, _ in contract}


def section(report: Report, key: str) -> list[object]:
    return list(unfold(next(s for s in report.sections if s.key == key).blocks))


def test_the_technical_report_has_everything_that_the_earlier_one_had(folder: Path) -> None:
    report, contract = build(folder, load_persona("technical"))
    assert [s.key for s in report.sections] == [
        "summary", "ingestion", "performance", "findings", "recommendations", "appendix",
        "workflow", "calls", "writer", "contract", "persona",
    ]  # fmt: skip
    assert all(contract.values())
    assert any(isinstance(b, Table) for b in section(report, "performance"))
    assert any(isinstance(b, Chart) for b in section(report, "performance"))
    assert any(isinstance(b, Bullets) and b.ordered for b in section(report, "recommendations"))


def test_the_appendix_quotes_rows_that_stand_in_the_files(folder: Path) -> None:
    report, _ = build(folder, load_persona("technical"))
    quotes = [b for b in section(report, "appendix") if isinstance(b, Quotation)]
    assert quotes
    for quote in quotes:
        assert quote.origin is not None
        text = (folder / quote.origin.file).read_text()
        for value in msgspec.json.decode(quote.text).values():
            assert str(value) in text


def test_the_charts_hold_every_sample(folder: Path) -> None:
    report, _ = build(folder, load_persona("technical"))
    chart = next(b for b in section(report, "performance") if isinstance(b, Chart))
    for mark in chart.marks:
        assert mark.fact.n is not None
        assert len(mark.samples) >= mark.fact.n


def test_insight_keeps_its_contract_on_a_folder_with_enough_to_say(folder: Path) -> None:
    report, contract = build(folder, load_persona("insight"))
    assert contract == dict.fromkeys(contract, True)
    assert all(s.numbered for s in report.sections[:3])
    assert to_markdown(report).count("## 1. ") == 1


def test_a_contract_that_cannot_be_met_says_so(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("model,tokens_s\nm,5\n")
    report, contract = build(tmp_path, load_persona("insight"))
    assert contract["300 to 400 words"] is False
    assert "not met" in to_markdown(report)


def test_collector_stays_short(folder: Path) -> None:
    _, contract = build(folder, load_persona("collector"))
    assert contract["at most 250 words"]


def test_a_summary_is_shortened_to_the_greatest_length(folder: Path) -> None:
    own = msgspec.structs.replace(
        load_persona("technical"), sections=("summary",), contract=Contract(max_words=120)
    )
    _, contract = build(folder, own)
    assert contract["at most 120 words"]


def test_a_users_own_persona_chooses_its_sections(folder: Path) -> None:
    own = parse_persona(
        '+++\nname = "brief"\ntitle = "Brief"\nsections = ["gaps", "recommendations"]\n'
        "[contract]\nrecommendations = 99\n+++\nBe brief.\n",
        "brief.md",
    )
    report, contract = build(folder, own)
    assert [s.key for s in report.sections][:2] == ["gaps", "recommendations"]
    assert contract["99 recommendations"] is False
    assert "Be brief." in to_markdown(report)


def test_every_printed_number_has_its_fact_in_the_book_or_counts_the_report(folder: Path) -> None:
    report, _ = build(folder, load_persona("technical"))
    for part in report.sections:
        for block in unfold(part.blocks):
            if isinstance(block, Table):
                for row in block.rows:
                    for cell in row:
                        for span in cell:
                            if isinstance(span, Num):
                                known = span.fact.id in report.facts
                                assert known or span.fact.scope == "this report"
