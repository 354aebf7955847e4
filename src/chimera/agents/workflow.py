"""The workflow: ingest, analysis, report. Each phase is timed, each call recorded whole."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from string import ascii_lowercase
from typing import Literal

import msgspec

from chimera.agents.agent import Agent
from chimera.agents.asking import Caller
from chimera.agents.calls import Call
from chimera.agents.choose import Choice, Settled, settle
from chimera.agents.cite.cited import Cited, cite
from chimera.agents.cite.trial import Trial, is_known_to_choose, try_out
from chimera.agents.wording import Wording, named, say_key, wording_choices
from chimera.engines.base import Engine, Load, ModelIdentity
from chimera.errors import EngineError, InputError, MissingExtra
from chimera.facts import Facts, facts_of
from chimera.facts.findings import Finding
from chimera.ingest import ingest_folder
from chimera.ingest.folder import MAX_BYTES, Ingest

LEADING = 5
_WORDED = frozenset({"summary", "findings", "recommendations", "risks"})  # hold chosen sentences
_MAX_PREFIX_FINDINGS = 14
_FEW = 5
_MAX_PREFIX_CHARACTERS = 160
Say = Callable[[str], None]
Progress = Callable[[int, int, str], None]


class Times(msgspec.Struct):
    """Wall time of each phase in seconds. ``engine_s`` is the part of it that the engine took
    (loading and answering); the report phase ends before rendering and writing.
    """

    ingest_s: float = 0.0
    analysis_s: float = 0.0
    report_s: float = 0.0
    engine_s: float = 0.0


class Work(msgspec.Struct):
    """What the agent did. ``leading`` are the findings that open the report, in order.

    ``stored`` says that the folder was made of stored runs, a run file run/ID.jsonl for each.
    ``grade`` is how the model wrote, ``trial`` what decided that (None: it was set), ``cited`` what
    it wrote in the grade cite. ``over_budget`` says what of the budget was used up, "" nothing.
    """

    agent: Agent
    facts: Facts
    leading: list[Finding]
    wording: Wording
    calls: list[Call]
    times: Times
    model: ModelIdentity | None = None
    engine: str = ""
    engine_version: str = ""
    load: Load | None = None
    engine_error: str = ""
    stored: bool = False
    most_findings: int | None = None
    grade: Literal["choose", "cite"] = "choose"
    trial: Trial | None = None
    cited: Cited | None = None
    over_budget: str = ""

    @property
    def considered(self) -> list[Finding]:
        """The findings that the model is asked about."""
        return self.facts.findings[: self.most_findings]


def work(  # noqa: PLR0913 - by name, and each has a default
    folder: str,
    agent: Agent,
    engine: Engine | None,
    *,
    progress: Progress | None = None,
    say: Say = lambda _: None,
    max_bytes: int = MAX_BYTES,
    exclude: str = "",
    shown: str = "",
    most_findings: int | None = None,
) -> Work:
    """Run the workflow on a folder. ``engine`` None writes with code's own wording.

    ``exclude`` is a folder that is not read (where the report goes), ``shown`` another name for
    the folder, which is then one of stored runs. The engine is started here and left open for the
    caller to close. A failing engine ends in code's own wording and ``engine_error``. Raises
    InputError for a folder that cannot be read, and for one that holds neither a record nor a
    document.

    The model is asked about the first ``most_findings`` alone (None: about all); the report holds
    the others in code's own words.
    """
    start = time.perf_counter()
    say("reading the folder")
    ingest = ingest_folder(folder, progress=progress, max_bytes=max_bytes, exclude=exclude)
    ingest.folder = shown or ingest.folder
    if not ingest.batches and not ingest.documents:
        raise InputError(f"{without_records(ingest)}; nothing was written")
    read = time.perf_counter()
    say("computing facts and findings")
    facts = facts_of(ingest)
    result = Work(
        agent,
        facts,
        facts.findings[:LEADING],
        Wording(),
        [],
        Times(),
        stored=bool(shown),
    )
    result.times.ingest_s = read - start
    result.most_findings = most_findings
    worded = not _WORDED.isdisjoint(agent.persona.sections)
    if engine is not None and worded and facts.findings:
        _write(engine, result, say)
    ended = time.perf_counter() - read
    result.times.report_s = ended - result.times.analysis_s
    return result


def _write(engine: Engine, result: Work, say: Say) -> None:
    """Start the engine, settle the grade, and have the model do its part."""
    begun = time.perf_counter()
    if not _start(engine, result, say):
        result.times.analysis_s = time.perf_counter() - begun
        return
    agent = result.agent
    caller = Caller(engine, agent.budget, say, result.load)
    if agent.grade == "auto" and is_known_to_choose(result.model):
        result.grade = "choose"
    elif agent.grade == "auto":
        say("trying out how the model writes")
        result.trial = try_out(caller)
        result.grade = result.trial.grade
    else:
        result.grade = agent.grade
    if result.grade == "cite":
        tried = time.perf_counter() - begun
        result.cited = _cite(caller, result, say)
        result.times.analysis_s = tried + result.cited.analysis_s
    else:
        if not caller.stopped():
            _analyse(caller, result, say)
        result.times.analysis_s = time.perf_counter() - begun
        if not caller.stopped():
            _word(caller, result, say)
    result.calls += caller.calls
    result.times.engine_s += caller.engine_s
    result.engine_error = result.engine_error or caller.error
    result.over_budget = caller.over_budget


def _cite(caller: Caller, result: Work, say: Say) -> Cited:
    findings = result.considered
    if "findings" not in result.agent.persona.sections:
        findings = findings[: LEADING + _FEW]
    cited = cite(caller, result.agent.persona.prompt, result.facts, findings, LEADING, say)
    result.leading = cited.leading
    result.wording = Wording(
        written={
            say_key(d.point.finding, 0): d.sentence
            for d in cited.drafts
            if d.point.finding is not None
        }
    )
    return cited


def without_records(ingest: Ingest) -> str:
    """What was looked for and what was found, of a folder in which nothing is a record."""
    found = Counter(report.outcome for report in ingest.files)
    said = ", ".join(
        f"{count} {'file' if count == 1 else 'files'} ({outcome})"
        for outcome, count in found.most_common()
    )
    return (
        f"no record in {ingest.folder!r}: results in CSV, TSV, JSON or JSONL were looked for, and "
        f"there is {said or 'no file at all'}; "
        + ("`chimera ingest` says of each file why" if said else "give a folder that holds some")
        + ", and `chimera bench` makes new ones"
    )


def _start(engine: Engine, result: Work, say: Say) -> bool:
    say("loading the model")
    begun = time.perf_counter()
    try:
        result.load = engine.start()
        result.model = engine.model()
        result.engine = engine.name
        result.engine_version = engine.version or ""
    except MissingExtra:
        raise  # the user asked for a model that is not installed: say so at once
    except EngineError as error:
        result.engine_error = str(error)
    result.times.engine_s += time.perf_counter() - begun
    return not result.engine_error


def _prefix(result: Work) -> str:
    """The front that all calls share: the persona's prompt and the findings.

    Text from files stands in it only as names, cut to one line; a poisoned document is never
    quoted, and whatever the model makes of a name can only be a letter.
    """
    lines = [result.agent.persona.prompt, "", "Findings, computed and tested:"]
    for finding in result.considered[:_MAX_PREFIX_FINDINGS]:
        lead = named(finding.says[0].variants[0])[:_MAX_PREFIX_CHARACTERS]
        lines.append(f"- [{finding.severity}] {lead}")
    return "\n".join(lines)


def _ask(
    caller: Caller,
    result: Work,
    instruction: str,
    choices: Sequence[Choice],
    purpose: str,
    *,
    listed_once: bool = False,
) -> Settled:
    prefix = _prefix(result)
    return settle(caller, prefix, instruction, choices, purpose, listed_once=listed_once)[0]


def _analyse(caller: Caller, result: Work, say: Say) -> None:
    """Let the model choose which findings open the report, and in which order."""
    candidates = [f for f in result.considered if f.severity != "low"][:8]
    places = min(LEADING, len(candidates))
    if len(candidates) < 2:
        return
    say("choosing what leads")
    titles = tuple("".join(s.text for s in f.title)[:_MAX_PREFIX_CHARACTERS] for f in candidates)
    listed = "\n".join(f"{letter}) {t}" for letter, t in zip(ascii_lowercase, titles, strict=False))
    instruction = f"Choose what a reader must know first, the most important first.\n{listed}"
    slots = [Choice(f"leading#{i}", titles) for i in range(places)]
    settled = _ask(caller, result, instruction, slots, "analysis", listed_once=True)
    chosen = [settled.chosen[s.key] for s in slots if s.key in settled.chosen]
    ordered = list(dict.fromkeys([*chosen, *range(len(candidates))]))
    result.leading = [candidates[i] for i in ordered[:places]]


def _word(caller: Caller, result: Work, say: Say) -> None:
    """Let the model choose the wording of the sentences, the most visible ones first."""
    say("choosing words")
    rest = [f for f in result.considered if f not in result.leading]
    if "findings" not in result.agent.persona.sections:
        rest = rest[:_FEW]
    leading = [f for f in result.leading if f in result.considered]
    choices, settles = wording_choices([*leading, *rest], len(leading))
    instruction = "Choose for each sentence the wording that reads best. All say the same."
    settled = _ask(caller, result, instruction, choices, "wording")
    result.wording = Wording(
        {key: settled.chosen[by] for key, by in settles.items() if by in settled.chosen},
        frozenset(key for key, by in settles.items() if by in settled.refused),
    )
