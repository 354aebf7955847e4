"""What a number is about: metric, statistic, subject and settings, from its sentence outwards.

A slot that the number's own sentence leaves open is filled by what stands around it: the sentence
before, the list item above, the table's row, header and caption, the headings, nearest first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from chimera.audit.evidence import Selector
from chimera.audit.names import Named
from chimera.audit.numbers import Number
from chimera.audit.pairing import paired
from chimera.audit.phrases import Mention
from chimera.audit.sentence import Sentence
from chimera.audit.subjects import models_of
from chimera.record.vocabulary import METRICS

IDENTITIES = (
    "quantization", "engine", "backend", "host", "config", "test", "workload", "prompt_id", "gpu"
)  # fmt: skip
_TIME_KEYS = (
    "ttft", "e2e_latency", "tpot", "itl", "generation_time", "load_time", "prefill_time",
    "decode_time", "server_total", "duration",
)  # fmt: skip
UNIT_KEYS = {
    "tokens/s": (
        "decode_throughput", "token_rate", "wall_throughput", "output_throughput",
        "prefill_throughput", "total_throughput",
    ),
    "requests/s": ("request_throughput", "goodput"),
    "samples/s": ("sample_throughput",),
    "tokens": ("output_tokens", "prompt_tokens", "total_tokens", "tokens"),
    "bytes": ("model_size",),
    "s": _TIME_KEYS,
}  # fmt: skip
_FAR = 60  # characters
_PHYSICAL = {
    "W": r"watt|power|(?:^|[^a-z])w(?:[^a-z]|$)", "watts": r"watt|power|(?:^|[^a-z])w(?:[^a-z]|$)",
    "J": r"joule|energy", "joule": r"joule|energy", "°C": r"temp", "MHz": r"clock|freq|mhz",
    "Hz": r"clock|freq|hz",
}  # fmt: skip
_SIZE_NAME = re.compile(r"size|mem|ram|byte|(?:^|[^a-z])[kmgt]i?b(?:[^a-z]|$)", re.IGNORECASE)
_TIME_NAME = re.compile(
    r"time|latency|duration|(?:^|[^a-z])(?:s|ms|us|ns|sec|secs|seconds)(?:[^a-z]|$)", re.IGNORECASE
)
_LEAST = re.compile(
    r"lowest|smallest|shortest|least|bottom|below|dips|low\b|low of|floor|never below|no lower",
    re.IGNORECASE,
)
_EXTREMES = re.compile(
    r"\b(lowest|smallest|shortest|least|highest|largest|longest|greatest|bottoms out|"
    r"bottomed out|peaks|peaked|bounded below|above by|below by|as low as|as high as|"
    r"lows? of|highs? of|tops out|floor|"
    r"ceiling|"
    r"never below|never above|dips below|drops below|climbs past|"
    r"never beyond|goes beyond|no lower than|no higher than)\b",
    re.IGNORECASE,
)
_OUTPUT = re.compile(r"\b(?:output|generated) tok", re.IGNORECASE)
_BESIDE = re.compile(
    r"[\s*_`:=(–—-]*(?:\([^)]*\))?(?:(?:on|is|was|were|of|on average|average|averaged|reached|mean|"
    r"median|maximum|minimum|about|roughly|\w+ed)\b[\s*_`:=(]*){0,3}",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\b(?:completes?|completed|finish(?:es|ed)?|took|takes|lasts?|lasted)\b(?: in| about| only| roughly)*\s*$",
    re.IGNORECASE,
)
_FAST = re.compile(
    r"\b(slowest|fastest|quickest) (?:\w+ ){0,2}(?:requests?|runs?|answers?|responses?|quer(?:y|ies)|calls?)\b",
    re.IGNORECASE,
)


class About(msgspec.Struct, frozen=True):
    """What a number was understood to be about.

    ``keys`` are the metrics that it may be of, the likeliest first; ``named`` says that the text
    names the metric (not only a unit); ``unit`` and ``scale`` come from a header where the number
    has none. ``misfit`` is a metric near the number that cannot have its unit, with "!" where it stands beside. ``near``
    is how far the models were looked for: 0 in the sentence itself. ``sure`` says that the
    statistic stands right before or behind the number. ``words`` are those of the sentence and of
    what stands around it, in lower case. ``far`` are the settings that do not stand in the sentence
    itself (of a cell: in its row or column). ``loose`` is as in ``Selector``. ``foreign``: the
    sentence names a model that the data does not have. ``bare`` are its numbers without a unit.
    """

    keys: tuple[str, ...] = ()
    named: bool = False
    statistic: str = ""
    models: frozenset[str] = frozenset()
    settings: tuple[tuple[str, str], ...] = ()
    files: frozenset[str] = frozenset()
    phase: str = ""
    unit: str = ""
    scale: float = 1.0
    overall: bool = False
    near: int = 9
    misfit: str = ""
    sure: bool = False
    words: frozenset[str] = frozenset()
    far: frozenset[str] = frozenset()
    loose: bool = False
    foreign: bool = False
    bare: frozenset[str] = frozenset()

    @property
    def selector(self) -> Selector:
        """What to choose in the data."""
        return Selector(self.models, self.settings, self.files, self.phase, self.loose)

    @property
    def nearer(self) -> About:
        """The same without the settings that only stand farther away."""
        kept = tuple(s for s in self.settings if s[0] not in self.far)
        phase = "" if "phase" in self.far else self.phase
        files = frozenset[str]() if "file" in self.far else self.files
        return msgspec.structs.replace(
            self, settings=kept, phase=phase, files=files, far=frozenset()
        )


def unit_fits(key: str, unit: str) -> bool:
    """Whether a metric can be in that unit; no unit fits everything."""
    metric = METRICS.get(key)
    if not unit or metric is not None:
        return not unit or metric is None or metric.unit == unit
    if unit == "s":
        return bool(_TIME_NAME.search(key))
    if unit == "bytes":
        return bool(_SIZE_NAME.search(key))
    if unit in _PHYSICAL:
        return bool(re.search(_PHYSICAL[unit], key, re.IGNORECASE))
    return (
        unit not in ("tokens/s", "requests/s", "tokens")
        or unit.split("/", maxsplit=1)[0][:5] in key.lower()
    )


def _own_unit(number: Number) -> str:
    return number.unit if number.form == "plain" else ""


def bind(number: Number, sentence: Sentence, around: Sequence[Sentence], near: int = 0) -> About:
    """What a number of a sentence is about; ``around`` is what else may tell, nearest first, the
    first ``near`` of which are as good as the sentence itself.
    """
    unit = _own_unit(number)
    keys, named = _metric(number, sentence, around, unit, near)
    models, distance, overall = models_of(number, sentence, around)
    return About(
        keys=keys,
        named=named,
        statistic=_statistic(number, sentence, around),
        models=models,
        settings=(settings := _settings(number, sentence, around)),
        far=_far(number, sentence, around, near, settings),
        files=_files(sentence, around),
        phase=_phase(number, sentence, around),
        overall=overall,
        near=distance,
        misfit=_misfit(number, sentence, unit),
        sure=_is_sure(number, sentence),
        foreign=any(s.is_foreign for s in (sentence, *around[:near])),
        bare=sentence.bare.union(*(other.bare for other in around[: max(near, 1)])),
        words=sentence.words.union(*(other.words for other in around)),
    )


def _far(
    number: Number,
    sentence: Sentence,
    around: Sequence[Sentence],
    near: int,
    settings: tuple[tuple[str, str], ...],
) -> frozenset[str]:
    """The settings, and "phase" and "file", that only stand farther away."""
    close = around[:near]
    found = {k for k, _ in settings} - {k for k, _ in _settings(number, sentence, close)}
    if not _phase(number, sentence, close):
        found.add("phase")
    if not _files(sentence, close):
        found.add("file")
    return frozenset(found)


def _is_sure(number: Number, sentence: Sentence) -> bool:
    """Whether a statistic stands in the number's own segment with no other number between."""
    signed = "±" in sentence.text[max(0, number.start - 2) : number.start + 1]
    if signed or _in_parentheses(number, sentence):
        return True
    low, high = sentence.segment(number.start)[0], sentence.segment(number.end)[1]
    for mention in sentence.statistics:
        if not low <= mention.start < high:
            continue
        first, last = min(mention.end, number.end), max(mention.start, number.start)
        if not any(first <= n.start and n.end <= last for n in sentence.numbers if n is not number):
            return True
    return False


def is_tied(number: Number, sentence: Sentence) -> bool:
    """Whether a bare number stands beside a metric or a statistic, so that it is its value."""
    if sentence.text[: number.start].endswith(("$", "€", "£")):
        return True
    for mention in (*sentence.metrics, *sentence.statistics):
        if is_beside(number, mention, sentence):
            return True
    return False


def _misfit(number: Number, sentence: Sentence, unit: str) -> str:
    """The metric that a number is plainly said to be of though it cannot have the number's unit."""
    if not unit or number.form != "plain":
        return ""
    if any(unit_fits(k, unit) for m in sentence.metrics for k in m.keys):
        return ""
    if len(sentence.metrics) != 1:
        return ""
    mention = sentence.metrics[0]
    if abs(mention.start - number.start) > _FAR:
        return ""
    return mention.key + ("!" if is_beside(number, mention, sentence) else "")


def is_beside(number: Number, mention: Mention, sentence: Sentence) -> bool:
    """Whether nothing but small words stands between a metric and its number."""
    low, high = min(mention.end, number.end), max(mention.start, number.start)
    return bool(_BESIDE.fullmatch(sentence.text[low:high]))


def _metric(
    number: Number, sentence: Sentence, around: Sequence[Sentence], unit: str, near: int
) -> tuple[tuple[str, ...], bool]:
    if number.form == "plain" and sentence.text[: number.start].endswith(("$", "€", "£")):
        return sentence.money, True
    if unit == "tokens" and _OUTPUT.search(sentence.text[number.start : number.end]):
        return ("output_tokens",), True
    own = sentence.nearest(
        sentence.metrics, number, lambda m: any(unit_fits(k, unit) for k in m.keys)
    )
    if own is not None:
        return tuple(k for k in own.keys if unit_fits(k, unit)), True
    tests = {
        m.key
        for s in (sentence, *around[:near])
        for m in s.settings
        if m.value and m.key in ("n_prompt", "n_gen")
    }
    if unit == "tokens/s" and len(tests) == 1:
        first = "prefill_throughput" if tests == {"n_prompt"} else "decode_throughput"
        return (first, *UNIT_KEYS["tokens/s"]), True
    if unit == "s" and (
        _FAST.search(sentence.text) or _WHOLE.search(sentence.text[: number.start])
    ):
        return ("e2e_latency", "server_total", "generation_time", "duration"), True
    for distance, other in enumerate(around):
        for mention in other.metrics:
            keys = tuple(
                k for k in mention.keys if unit_fits(k, unit) and (k in METRICS or distance < near)
            )
            if keys:
                return keys, True
    return UNIT_KEYS.get(unit, ()), False


def _in_parentheses(number: Number, sentence: Sentence) -> str:
    """The statistic in parentheses right behind a number: "2.57 tok/s (standard deviation)"."""
    match = re.match(r"\s*[*_]*[(\[][^()\[\]]{0,40}[)\]]", sentence.text[number.end :])
    if match is None:
        return ""
    end = number.end + match.end()
    if any(number.end <= n.start < end for n in sentence.numbers):
        return ""  # it is of the number in the parentheses
    told = [m for m in sentence.statistics if number.end <= m.start < end]
    return told[0].key if told else ""


def _statistic(number: Number, sentence: Sentence, around: Sequence[Sentence]) -> str:
    if "±" in sentence.text[max(0, number.start - 2) : number.start + 1]:
        return "sd"
    told = _in_parentheses(number, sentence)
    if told:
        return told
    own = sentence.nearest(sentence.statistics, number, later=True)
    if own is not None:
        low, high = sentence.segment(number.start)[0], sentence.segment(number.end)[1]
        inside = low <= own.start < high
        behind = own.start > number.end
        if inside or not behind:
            return own.key
    earlier = [n.end for n in sentence.numbers if n.end <= number.start]
    unit = number.unit
    extreme = _EXTREMES.findall(sentence.text[max(earlier, default=0) : number.start])
    extreme = extreme or _EXTREMES.findall(sentence.text[number.end : number.end + 32])[:1]
    fast = _FAST.search(sentence.text[max(earlier, default=0) : number.start])
    if fast and not extreme and unit in ("s", "tokens/s"):
        return "min" if (fast[1].lower() == "slowest") == (unit == "tokens/s") else "max"
    if extreme:
        return "min" if _LEAST.search(extreme[-1]) else "max"
    for other in around:
        if other.statistics and len(other.text) < 120:
            return other.statistics[-1].key
    return ""


def _settings(
    number: Number, sentence: Sentence, around: Sequence[Sentence]
) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for distance, other in enumerate((sentence, *around)):
        for key in dict.fromkeys(m.key for m in other.settings if m.value is not None):
            if key in found:
                continue
            mentions = [m for m in other.settings if m.key == key and m.value is not None]
            if distance == 0:
                chosen = paired(
                    number, sentence.numbers, mentions, sentence.text, _same_level
                ) or sentence.nearest(mentions, number)
            else:
                chosen = mentions[-1]
            if chosen is not None and chosen.value is not None:
                found[key] = chosen.value
        for name in other.named:
            if name.key in IDENTITIES and name.key not in found:
                same = [n for n in other.named if n.key == name.key]
                if distance == 0:
                    pick = paired(
                        number, sentence.numbers, same, sentence.text, _same_name
                    ) or sentence.nearest(same, number)
                else:
                    pick = same[-1]
                if pick is not None:
                    found[name.key] = pick.value
    tests = [m for m in sentence.settings if m.key in ("n_prompt", "n_gen") and m.value]
    if {"n_prompt", "n_gen"} <= {m.key for m in tests} and {"n_prompt", "n_gen"} <= set(found):
        nearest = sentence.nearest(tests, number)  # "pp512: 1472, tg128: 49.9"
        if nearest is not None:
            found.pop("n_gen" if nearest.key == "n_prompt" else "n_prompt")
    return tuple(sorted(found.items()))


def _same_level(one: Mention, other: Mention) -> bool:
    return one.value == other.value


def _same_name(one: Named, other: Named) -> bool:
    return one.value.lower() == other.value.lower()


def _files(sentence: Sentence, around: Sequence[Sentence]) -> frozenset[str]:
    for other in (sentence, *around):
        files = frozenset(n.value for n in other.named if n.key == "file")
        if files:
            return files
    return frozenset()


def _phase(number: Number, sentence: Sentence, around: Sequence[Sentence]) -> str:
    own = sentence.nearest(sentence.phases, number, later=False)
    if own is not None:
        return own.key
    for other in around:
        if other.phases and len(other.text) < 80:
            return other.phases[-1].key
    return ""
