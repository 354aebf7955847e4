"""Verdicts on measured values: a number of a metric, against what the data says of exactly that."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from chimera.audit.binding import UNIT_KEYS, About, unit_fits
from chimera.audit.claim import BAD
from chimera.audit.elsewhere import Elsewhere, Entry
from chimera.audit.evidence import Evidence
from chimera.audit.matching import Match, matches, shown, tolerance
from chimera.audit.narrowing import Narrowing
from chimera.audit.numbers import Number
from chimera.audit.own_metrics import MONEY
from chimera.audit.plain import plain_level
from chimera.audit.values import Value, values_of
from chimera.audit.verdict import Verdict, metric_names
from chimera.record.vocabulary import METRICS

_SCALES = (1e3, 1e-3, 1e6, 1e-6)
_FEW_DIGITS, _TELLING, _SURELY = 3, 4, 5  # digits: the last, no value has by chance
_UNSAID = (
    (1e-3, "ms", "s"), (1e-6, "us", "s"), (1e9, "GB", "bytes"), (1e6, "MB", "bytes"),
    (2.0**30, "GiB", "bytes"), (0.01, "%", "1"),
)  # fmt: skip
_OTHER_UNITS = {
    1e3: "the number is a thousand times too small",
    1e-3: "the number is a thousand times too large",
    1e6: "the number is a million times too small",
    1e-6: "the number is a million times too large",
}


class MeasuredJudge:
    """Judges measured values against a folder."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.elsewhere = Elsewhere(evidence)
        self._narrowing = Narrowing(evidence)

    def judge(self, number: Number, about: About) -> Verdict:
        """The verdict on a number of a known metric (or at least a unit)."""
        if about.foreign:
            return Verdict("unverifiable", "it is of a model that the data does not have")
        number = _in_unit(number, about)
        if about.near > 0 and about.models and not self._has_settings(about):
            about = replace(about, models=frozenset())  # what it says has another subject
        verdict = self._judge(number, about)
        if (verdict.label in BAD or verdict.label == "unsupported") and not about.misfit:
            verdict = self._otherwise(number, about) or verdict
        if about.keys and not about.statistic and number.high is None and not verdict.statistic:
            verdict = replace(verdict, statistic=_statistic_of(verdict))
        return verdict

    def _judge(self, number: Number, about: About) -> Verdict:
        known = self._without_metric(number, about)
        if known is not None:
            return known
        values = values_of(self._evidence, about)
        values = [v for v in values if not number.unit or v.unit in (number.unit, "")]
        if number.high is not None:
            return self._judge_range(number, about, values)
        for value in values:
            if value.other and not about.sure:
                continue
            hit = matches(number, value.value)
            if not hit and not value.unit and number.unit:
                hit = _matches_raw(number, value.value)
            if hit:
                return self._holds(number, about, value, hit)
        if about.near > 0 and about.models:  # the sentence names no model: it may mean all
            for value in values_of(self._evidence, replace(about, models=frozenset())):
                if not value.pooled or value.unit not in (number.unit, ""):
                    continue
                if matches(number, value.value):
                    return Verdict("supported", value.what, None, value.what, "", value.places)
        if not number.unit:
            scaled = self._without_unit(number, values)
            if scaled:
                return scaled
        if not about.statistic and values:
            other = self._other_statistic(number, about)
            if other:
                return other
        return self._wrong(number, about, values)

    def _otherwise(self, number: Number, about: About) -> Verdict | None:
        """The verdict for another way to read the text, where the number is right for that:
        without what stands farther away, or for a subset that the text's words name.
        """
        nearer = [about.nearer] if about.far else []
        near = about.nearer
        if not number.unit and len(about.keys) > 1:
            nearer += [replace(about, keys=(key,)) for key in about.keys[1:]]
        for narrower in (
            *nearer,
            *self._narrowing.of(about),
            *self._narrowing.of(near),
            *self._narrowing.beside(near),
        ):
            verdict = self._judge(number, narrower)
            if verdict.label == "supported":
                return verdict
        return None

    def _has_settings(self, about: About) -> bool:
        """Whether the models have any record with the settings that are named."""
        selector = about.selector
        return bool(
            not about.settings
            or self._evidence.select(selector)
            or any(self._evidence.summed_fits(s, selector) for s in self._evidence.summed)
        )

    def _without_metric(self, number: Number, about: About) -> Verdict | None:
        """The verdict where no metric is named, or one that cannot be meant; None otherwise."""
        if about.misfit:
            return self._misfitting(number, about)
        if not about.named and number.unit == "s":
            return self._some_time(number, about)
        if not about.named and number.unit and number.high is None:
            return self._some_rate(number, about)
        return None

    def _some_rate(self, number: Number, about: About) -> Verdict | None:
        """A rate of which only the unit is known: that of prompts may be meant as well."""
        for key in about.keys[1:]:
            for value in values_of(self._evidence, replace(about, keys=(key,))):
                if matches(number, value.value) and value.unit == number.unit and about.models:
                    warning = "the report does not say which rate it is"
                    return Verdict(
                        "supported", value.what, None, value.what, warning, value.places, metric=key
                    )
        return None

    def _misfitting(self, number: Number, about: About) -> Verdict:
        """A metric in a unit that it cannot have, unless the number is right for its unit."""
        plain = replace(about, misfit="")
        beside = about.misfit.endswith("!")
        about = replace(about, misfit=about.misfit.rstrip("!"))
        if number.unit == "s":
            alone = self._some_time(number, replace(plain, named=False))
        else:
            alone = self.judge(number, plain)
        if alone.label == "supported":
            return alone
        if alone.label == "derivable" or about.misfit not in METRICS:
            return alone
        if alone.label in BAD and about.models and about.near == 0 and not beside:
            return alone
        metric = METRICS[about.misfit]
        reason = f"{metric.label} is in {metric.unit}, not in {number.unit}"
        keys = (about.misfit, *(k for k in UNIT_KEYS.get(metric.unit, ()) if k != about.misfit))
        if metric.unit != "tokens/s":
            keys = keys[:1]
        values = values_of(self._evidence, replace(plain, keys=keys))
        for value in values:
            for scale in (1.0, 1e3, 1e-3):  # its digits are right, its unit is another metric's
                if matches(replace(number, unit=value.unit, scale=scale), value.value):
                    right = f"{value.value:.6g} {value.unit}"
                    return Verdict("contradicted", reason, right, "", "", value.places)
        if beside and values and number.digits >= _FEW_DIGITS:
            right = f"{values[0].value:.6g} {values[0].unit}"
            return Verdict("contradicted", reason, right, "", "", values[0].places)
        return Verdict("unverifiable", "the report does not say what this number is of")

    def _some_time(self, number: Number, about: About) -> Verdict:
        """A time of which nothing says what took it: it may hold, but can't be wrong."""
        for key in about.keys:
            for value in values_of(self._evidence, replace(about, keys=(key,))):
                if number.high is None and matches(number, value.value) and about.models:
                    warning = "the report does not say which time it is"
                    return Verdict(
                        "supported", value.what, None, value.what, warning, value.places, metric=key
                    )
        return Verdict("unverifiable", "the report does not say what took this time")

    def _holds(self, number: Number, about: About, value: Value, hit: str) -> Verdict:
        if about.models or about.overall or self._is_alone(about):
            warning = "cut off, not rounded" if hit == "truncated" else ""
            return Verdict("supported", value.what, None, value.what, warning, value.places)
        if self._spread(about) <= 1:
            return Verdict("supported", value.what, None, value.what, "", value.places)
        reason = f"it is {value.what}; the report does not say of which model"
        return Verdict("supported", reason, None, value.what, "no subject is named", value.places)

    def _is_alone(self, about: About) -> bool:
        return self._spread(about) <= 1

    def _spread(self, about: About) -> int:
        return len(self._evidence.models_with(about.selector, about.keys))

    def _other_statistic(self, number: Number, about: About) -> Verdict | None:
        """Where the report names no statistic, one of exactly the same records may be meant."""
        whole = about.keys[0] not in METRICS and number.value.is_integer() and not number.unit
        if number.digits < _FEW_DIGITS and not whole:
            return None
        names = ["min", "max", "p95", "p99", "sd"] if about.near == 0 and not whole else []
        counted = number.unit == "tokens" or "tokens" in about.keys[0]
        if counted or whole or MONEY.search(about.keys[0]):
            names.append("sum")
        for name in names:
            for value in values_of(self._evidence, replace(about, statistic=name)):
                if matches(number, value.value) and value.unit in (number.unit, ""):
                    warning = f"the report does not say that it is the {name}"
                    return Verdict("supported", value.what, None, value.what, warning, value.places)
        return None

    def _without_unit(self, number: Number, values: Sequence[Value]) -> Verdict | None:
        """A value whose unit nobody gives may be in any that is usual."""
        for scale, unit, canonical in _UNSAID:
            tried = replace(number, unit=canonical, scale=scale)
            for value in values:
                if value.unit == canonical and matches(tried, value.value):
                    return Verdict(
                        "supported", f"{value.what}, in {unit}", None, value.what,
                        f"its unit is not given; it fits in {unit}", value.places,
                    )  # fmt: skip
        return None

    def judge_ends(self, number: Number, low: About, high: About) -> Verdict:
        """A range that goes from one side's value to the other's: "from 41 (A) to 30 (B)"."""
        first = self.judge(replace(number, high=None), low)
        end = replace(
            number, value=number.high or 0.0, slack=number.high_slack, high=None, high_slack=0.0
        )
        second = self.judge(end, high)
        if first.label == "supported" and second.label == "supported":
            what = f"{first.reason}; {second.reason}"
            return Verdict("supported", what, None, what, "", first.places + second.places)
        return second if first.label == "supported" else first

    def _judge_range(self, number: Number, about: About, values: list[Value]) -> Verdict:
        for value in values:
            if value.low is None or value.high is None:
                continue
            if matches(number, value.low) and matches(number, value.high, end="high"):
                what = f"95% interval of the {value.what}"
                return Verdict("supported", what, None, what, "", value.places)
        lows = values_of(self._evidence, replace(about, statistic="min"))
        highs = values_of(self._evidence, replace(about, statistic="max"))
        if any(matches(number, v.value) for v in lows) and any(
            matches(number, v.value, end="high") for v in highs
        ):
            what = f"smallest and largest {metric_names(about.keys)}"
            return Verdict("supported", what, None, f"{lows[0].what} to {highs[0].what}")
        ends = self._range_of_means(about)
        if ends and matches(number, ends[0].value) and matches(number, ends[1].value, end="high"):
            what = f"{ends[0].what} to {ends[1].what}"
            return Verdict("derivable", what, None, what, "", ends[0].places + ends[1].places)
        if not lows or not highs:
            return self._nothing(number, about)
        unit = lows[0].unit
        right = f"{shown(lows[0].value, number, unit)} to {shown(highs[0].value, number, unit)}"
        reason = f"the {metric_names(about.keys)} of {about.selector.label} goes from {right}"
        return Verdict("contradicted", reason, right, "", "", lows[0].places)

    def _range_of_means(self, about: About) -> tuple[Value, Value] | None:
        """The lowest and the highest of the means of models, or of levels of one setting."""
        means = []
        for model in self._evidence.models_with(about.selector, about.keys):
            own = values_of(self._evidence, replace(about, models=frozenset((model,))))
            if own:
                means.append(own[0])
        if len(means) < 2:
            return None
        means.sort(key=lambda v: v.value)
        return means[0], means[-1]

    def _wrong(self, number: Number, about: About, values: list[Value]) -> Verdict:
        """No reading of the claim gives the number: what it is instead, and what is right."""
        if not values:
            return self._nothing(number, about)
        main = next((v for v in values if v.main), values[0])
        right = shown(main.value, number, main.unit)
        said = f"{main.what} is {right}"
        least = _TELLING if main.vague else 2
        for scale, why in _OTHER_UNITS.items():
            tried = replace(number, scale=number.scale * scale, modifier="")
            if number.digits >= least and any(matches(tried, v.value) for v in values):
                reason = f"{why}, or its unit is wrong: {said}"
                return Verdict("contradicted", reason, right, main.what, "", main.places)
        found = self._find(number, about)
        if found is not None and _is_of_a_part(found, about):
            reason = f"{said}; the number is the {found.value.what}, which is not said"
            return Verdict("ambiguous", reason, right, main.what, "", found.value.places)
        other = found is not None and found.key not in about.keys
        if main.vague and not (found and other and number.digits >= _SURELY):
            return Verdict("unsupported", "it does not say of which of several settings it is")
        if found is not None:
            reason = f"{said}; the number is the {found.value.what}"
            return Verdict("misattributed", reason, right, main.what, "", found.value.places)
        single = self._spread(about)
        vague = not about.models and not about.overall and single > 1
        if vague and self._inside(number, about) and about.settings:
            return Verdict("unsupported", f"it does not say of which of {single} models it is")
        if vague and self._inside(number, about):
            said = (
                f"it does not say of which of {single} models; no mean of one of them, nor "
                f"of all together ({right}), is that"
            )
        return Verdict("contradicted", said, right, main.what, "", main.places)

    def _inside(self, number: Number, about: About) -> bool:
        lows = values_of(self._evidence, replace(about, statistic="min"))
        highs = values_of(self._evidence, replace(about, statistic="max"))
        return bool(
            lows
            and highs
            and min(v.value for v in lows) <= number.canonical <= max(v.value for v in highs)
        )

    def _find(self, number: Number, about: About) -> Entry | None:
        """What else has that value; too few digits say nothing."""
        if number.digits < _FEW_DIGITS:
            return None
        tries = [number]
        if number.unit == "s" or not number.unit:
            tries += [replace(number, unit="s", scale=number.scale * s) for s in (1e-3, 1e3)]
        for tried in tries:
            found = self.elsewhere.find(tried.canonical, tolerance(tried), about)
            if found is not None and (not number.unit or found.value.unit in (number.unit, "")):
                return found
        return None

    def _nothing(self, number: Number, about: About) -> Verdict:
        """The data has no value of exactly this."""
        found = self._find(number, about)
        what = metric_names(about.keys) if about.keys else "this"
        where = about.selector.label + (
            f" at {about.selector.filter}" if about.selector.filter else ""
        )
        if about.settings and not self._evidence.select(about.selector):
            missing = self._missing_level(about)
            if missing:
                return Verdict("fabricated", f"no record has {missing}")
        if found is not None:
            reason = f"the data has no {what} of {where}; the number is the {found.value.what}"
            return Verdict("unsupported", reason, None, "", "", found.value.places)
        if about.named and about.keys and number.digits >= _FEW_DIGITS and number.unit:
            anything = replace(about, models=frozenset(), settings=()).selector
            known = any(self._evidence.members(anything, k) for k in about.keys)
            if not known and METRICS.get(about.keys[0]) is not None:
                return Verdict("unsupported", f"the data has no {what} at all")
        return Verdict("unsupported", f"the data has no {what} of {where}")

    def _missing_level(self, about: About) -> str:
        levels = self._evidence.settings
        for key, value in about.settings:
            if key in levels and plain_level(value) not in levels[key]:
                return f"{key}={value}"
        return ""


def _matches_raw(number: Number, value: float) -> Match:
    """Whether a number with a unit is a value that has none, in any unit that is usual."""
    scales = (1.0, 1e3, 1e6, 1e9) if number.unit == "s" else ()
    tried = [replace(number, unit="", scale=1.0)]
    tried += [replace(number, unit="", scale=number.scale * s) for s in scales]
    return next((hit for t in tried if (hit := matches(t, value))), "")


def _is_of_a_part(found: Entry, about: About) -> bool:
    """Whether a value is of what the claim says, in one file or at one level of several."""
    where = found.slice
    return bool(
        (where.file or where.levels)
        and not about.settings
        and not where.row
        and not where.note
        and where.model in about.models
        and found.key in about.keys
        and found.statistic in (about.statistic or "mean", "sum")
    )


def _statistic_of(verdict: Verdict) -> str:
    """The statistic that a value without any was taken for: the mean, unless another fits."""
    first = verdict.expression.partition(" ")[0]
    return first if first in ("median", "min", "max", "p95", "p99", "sd") else "mean"


def _in_unit(number: Number, about: About) -> Number:
    """The number in the unit that a header gives it, or that its metric always has."""
    if number.unit or number.form != "plain":
        return number
    if about.unit:
        return replace(number, unit=about.unit, scale=about.scale)
    if (
        about.keys
        and about.keys[0] in METRICS
        and METRICS[about.keys[0]].unit not in ("s", "1")
        and all(unit_fits(k, METRICS[about.keys[0]].unit) for k in about.keys)
    ):
        return replace(number, unit=METRICS[about.keys[0]].unit)
    return number
