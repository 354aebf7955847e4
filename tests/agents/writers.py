"""Writing models as parts to play: what each makes of a prompt, by nothing but the prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from chimera.engines.base import CompletionRequest

Part = Callable[[CompletionRequest], str]
_FACT = re.compile(r"^\{(F\w+)\} = (.+?): ", re.MULTILINE)
_POINT = re.compile(r"^([a-z])\) (.+)$", re.MULTILINE)
_NOTHING = '{"order": [], "ask": []}'


def points_in(prompt: str) -> dict[str, str]:
    """The points that a prompt asks for, by their letter."""
    task = prompt[max(prompt.rfind("Write one sentence"), prompt.rfind("were refused")) :]
    return dict(_POINT.findall(task))


def is_writing(prompt: str) -> bool:
    """Whether sentences are asked for."""
    return "Write one sentence" in prompt or "were refused" in prompt


def plain_sentence(prompt: str, point: str) -> str:
    """A sentence about the first fact of a point, from its line in the list of facts."""
    lines = {m[1]: (m[2], prompt[m.end() : prompt.find("\n", m.end())]) for m in
             _FACT.finditer(prompt)}  # fmt: skip
    known = [r for r in re.findall(r"\{(F\w+)\}", point) if r in lines] or list(lines)
    pair = next((r for r in known if lines[r][0].startswith("difference")), None)
    ref = pair or known[0]
    what, rest = lines[ref]
    names = re.findall(r"\{[A-Z]\}", what)
    of = f" of {names.pop(0)}" if what.count(", {") and "against" in what and len(names) > 2 else ""
    if what.startswith("difference"):
        metric = what.removeprefix("difference in ").partition(",")[0]
        if "cannot be told apart" in rest:
            return (f"In the {metric}{of}, {names[0]} and {names[1]} cannot be told apart, with a "
                    f"difference of {{{ref}}}.")  # fmt: skip
        return f"In {metric}{of}, {names[0]} is ahead of {names[1]} by {{{ref}}}."
    if what.startswith("ratio"):
        metric = what.removeprefix("ratio of larger to smaller in ").partition(",")[0]
        return f"In {metric}, {names[0]} and {names[1]} stand at a factor of {{{ref}}}."
    if what.startswith("change"):
        metric = what.removeprefix("change in ").partition(" of ")[0]
        who, setting, low, high = names
        if "cannot be told apart" in rest:
            return (f"What {setting} from {low} to {high} does to the {metric} of {who}, a change "
                    f"of {{{ref}}}, cannot be told from chance.")  # fmt: skip
        return f"With {setting} from {low} to {high}, the {metric} of {who} moves by {{{ref}}}."
    statistic, _, metric = what.partition(" of ")[0].partition(" ")
    scope = " on cold records" if "(cold)" in what else ""
    who = ", with ".join(names)
    return f"The {statistic} {metric}{scope} stands at {{{ref}}} for {who}."


def good(request: CompletionRequest) -> str:
    """Writes a right sentence for each point."""
    return told_by(request, lambda prompt, _, point: plain_sentence(prompt, point))


def told_by(request: CompletionRequest, write: Callable[[str, str, str], str]) -> str:
    """The reply in which each point's sentence is ``write(prompt, key, point)``."""
    if not is_writing(request.prompt):
        return _NOTHING
    points = points_in(request.prompt)
    return json.dumps({key: write(request.prompt, key, p) for key, p in points.items()})


def always(text: str) -> Part:
    """Writes the same for each point, whatever it is told."""
    return lambda request: told_by(request, lambda *_: text)


def careless(fault: Callable[[str, str], str]) -> Part:
    """Makes one kind of fault in each first sentence, and repairs it when it is told so."""

    def part(request: CompletionRequest) -> str:
        def write(prompt: str, _: str, point: str) -> str:
            right = plain_sentence(prompt, point)
            return right if "were refused" in prompt else fault(right, prompt)

        return told_by(request, write)

    return part
