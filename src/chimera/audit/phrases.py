"""The field's words as they stand in prose: metrics, statistics, settings, what is counted.

Closed lists, built on the vocabulary that ingestion reads files with; longest phrases first.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from chimera.record.vocabulary import METRIC_SPELLINGS

RATES = ("decode_throughput", "token_rate", "wall_throughput", "output_throughput")
TIMES = ("e2e_latency", "server_total", "generation_time", "duration")
# What people write for a metric, beside the spellings of files; several keys where it is open.
_PROSE: dict[tuple[str, ...], str] = {
    ("ttft",): r"(?:wait|delay|pause|time|latency|lag)(?: time)?(?: (?:for|until|till|before|to|to see|preceding))?(?: the)? first[- ](?:output[- ])?tokens?(?: lands| arrives| appears)?|first[- ]token (?:delay|wait|lag)|ttfts?|times? to (?:the )?first[- ]tokens?|times?-to-first-tokens?|first[- ]token "
    r"(?:latency|latencies|time|delay|arrival|response)|latency (?:to|until|before) (?:the )?first "
    r"token|first tokens?(?= (?:arriv|appear|came|comes|shows|showed|landed|after|in|within|took|takes))"
    r"|prompt-to-first-token|initial (?:response )?latency|wait(?:ing)? (?:time )?(?:for|until|before)"
    r" (?:the )?first token|time before (?:the )?first token|first-token|first token",
    ("tpot",): r"(?:per[- ])?(?:output[- ])?token[- ]times?|times? (?:for|per) each (?:generated |output )?tokens?|time spent per (?:output )?token|tpots?|times? per output[- ]tokens?|per[- ](?:output[- ])?token (?:latency|time|"
    r"cost)|times? per token|seconds per token|ms per token",
    ("itl", "tpot"): r"tokens? (?:arriv\w+|came|come)(?= (?:\S+ ){0,4}apart)|itls?|inter[- ]?token (?:latency|latencies|gaps?|delay|times?)|gaps? between"
    r" (?:consecutive |successive )?tokens|token[- ]to[- ]token (?:latency|gap|time)",
    ("e2e_latency", "server_total", "duration"): r"(?:total |overall |full |whole )?(?:response|request|answer|completion|end-to-end response|reply)[- ](?:times?|durations?|latenc(?:y|ies))|e2e(?:l| latency| time)?|end[- ]to[- ]end "
    r"(?:latency|latencies|time|response time|duration)|(?:request|response|total|overall|full|"
    r"whole|complete)[- ](?:latency|latencies|times?|duration|request time|response time)|time per "
    r"request|response times?|request times?|time to complete|time to (?:the )?last token|"
    r"round[- ]trip(?: time)?|total_duration",
    ("e2e_latency", "server_total", "generation_time", "duration"): r"latency|latencies",
    ("duration",): r"wall(?:[- ]?clock)?[- ]times?|(?:benchmark|test|total run)[- ](?:duration|time)|run[- ]?times?|elapsed(?: time)?|durations?|wall(?=\s*\()",
    ("load_time",): r"(?:model[- ])?load(?:ing)?[- ](?:durations?|delay)|time (?:spent |taken )?(?:on |to |for )?load(?:ing)?(?: the model)?|loading time|(?:model )?load(?:ing)?[- ](?:time|times|duration|phase)|time to load|"
    r"loading(?: the model)?|model loads?|load_duration",
    ("prefill_time", "prefill_throughput"): r"prefill(?:ing)?(?:[- ](?:time|times|latency|phase|duration))?|prompt"
    r"[- _](?:eval(?:uation)?|processing|ingestion)(?:[- _](?:time|times|duration|latency))?",
    ("decode_time",): r"decod(?:e|ing)[- ](?:time|times|phase|duration)|eval(?:uation)?[- _]"
    r"(?:time|times|duration)|generation phase",
    ("generation_time", "decode_time", "e2e_latency"): r"generation[- ](?:time|times|duration)|"
    r"time to generate",
    ("queue_time",): r"queu(?:e|eing|ing)(?:[- ](?:time|delay|wait))?|wait(?:ing)? time",
    ("prefill_throughput",): r"(?:prompt|input)[- ](?:ingestion|evaluation|processing|reading|eval|token)[- ](?:rates?|speeds?|throughput)|prefill[- ](?:rates?|speeds?)|(?:prefill|prompt(?:[- ](?:processing|eval(?:uation)?|ingestion))?|"
    r"input[- ]processing|pp)[- ](?:throughput|speed|rate|performance|tokens per second|tps|tok/s)|"
    r"(?:reads?|processes|processed|ingests?) (?:the )?prompts?(?: tokens)? at|prompt reading "
    r"speed",
    ("decode_throughput", "token_rate"): r"decod(?:es|ed)(?= at)|generat(?:es|ed) at|(?:tokens? )?(?:decod(?:e|ing)|sampling)[- ](?:rates?|speeds?)|(?:decod(?:e|ing)|eval(?:uation)?|token[- ]generation|"
    r"text[- ]generation|tg)[- ](?:throughput|speed|rate|performance|tokens per second|tps|tok/s)",
    RATES: r"(?:token[- ])?(?:generation|decoding|output|inference|writing)[- ](?:rates?|speeds?|throughput)|tokens? (?:generated|produced|emitted|written) (?:per|each|every|a) second|(?:generation|generating|inference|model|token|tokens?|processing)[- ]?"
    r"(?:throughput|speeds?|rates?|tps)|throughputs?|tokens?[- ]per[- ]sec(?:ond)?s?|"
    r"tokens?[- /_]s(?:ec(?:onds?)?)?|tok/s|tps|speeds?|token rate|performance in tok/s",
    ("output_throughput", *RATES[:3]): r"(?:aggregate|system-wide|server-side|server-wide|combined|total|overall)[- ](?:output|generation)[- ](?:rates?|speeds?|throughput)|(?:aggregate|system|server|overall|combined|output token|"
    r"output)[- ](?:output )?(?:token )?throughput|output tokens? per second",
    ("input_throughput", "prefill_throughput"): r"input[- ](?:token[- ])?(?:throughput|rate)|input tok(?:en)?s?(?:/| per )s(?:ec(?:ond)?)?|input tokens per second",
    ("total_throughput",): r"total(?:[- ]token)? throughput|total tokens per second",
    ("request_throughput",): r"req(?:uest)?s?\s?/\s?s(?:ec(?:ond)?)?|(?:completed|served|finished)[- ]requests?[- ]rates?|requests? (?:served|completed|handled|answered|finished) (?:per|each|every|a) second|rate of (?:completed|served) requests|requests?[- ](?:throughput|rate|per second)|requests? per second|"
    r"completed requests per second|rps|qps",
    ("goodput",): r"goodput",
    ("output_tokens",): r"(?:generated|output|produced)[- ]tokens?[- ]counts?|(?:output|answer|response|completion|reply)[- ]lengths?|number of (?:output|generated) tokens|(?:output|generated|completion|response|produced)[- ]tokens?(?: counts?)?"
    r"|tokens? (?:(?:generated|produced|emitted|written)(?! (?:per|each|every|a) sec)|per (?:answer|response|request|inference|"
    r"completion))|output lengths?|answer lengths?|response lengths?|eval_count",
    ("prompt_tokens",): r"(?:total )?(?:input|prompt)(?= (?:of|was|is|were|totall?ed) [\d,.]+[kKM]? tok)|(?:prompt|input)[- ]tokens?(?: counts?)?|prompt lengths?|input lengths?",
    ("cached_tokens",): r"cached tokens",
    ("accuracy",): r"accurac(?:y|ies)",
    ("compile_time",): r"compil(?:e|ation)[- ]times?",
    ("model_size",): r"model (?:file )?sizes?",
}  # fmt: skip


@lru_cache(maxsize=1)
def _metric_pattern() -> tuple[re.Pattern[str], list[tuple[str, ...]]]:
    """One pattern of all phrases: group i + 1 stands for the i-th keys."""
    groups: dict[tuple[str, ...], list[str]] = {k: [v] for k, v in _PROSE.items()}
    skipped = {"load", "eval", "predicted", "queue", "tokens", "loss", "time", "times", "wall"}
    skipped |= {"generation", "duration", "elapsed", "runtime", "decode", "prefill", "acc"}
    for spelling, key in METRIC_SPELLINGS.items():
        if "_" in spelling and spelling not in skipped:
            words = re.escape(spelling)
            own = next((found for keys, found in groups.items() if keys[0] == key), [])
            own.append(words)
    order = sorted(groups, key=lambda k: -max(map(len, groups[k])))
    singles = [(phrase, keys) for keys in order for phrase in _alternatives(groups[keys])]
    singles.sort(key=lambda pair: -len(pair[0]))
    pattern = "|".join(f"({phrase})" for phrase, _ in singles)
    whole = re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", re.IGNORECASE)
    return whole, [keys for _, keys in singles]


def _alternatives(patterns: list[str]) -> list[str]:
    """The alternatives of patterns at their top level."""
    found = []
    for pattern in patterns:
        depth, piece = 0, ""
        for char in pattern:
            if char == "|" and depth == 0:
                found.append(piece)
                piece = ""
                continue
            depth += (char == "(") - (char == ")")
            piece += char
        found.append(piece)
    return [re.sub(r"\((?!\?)", "(?:", p) for p in found if p]


_STATISTICS: tuple[tuple[str, str], ...] = (
    (
        r"means?|averages?|averaged|averaging|avg\.?|on average|arithmetic[- ]mean|typically|[µμ](?=\s*=)",
        "mean",
    ),
    (r"medians?|med\.|p50|50th[- ]percentile|middle value", "median"),
    (
        r"maxim(?:um|a|al)|max\.?|peaks?|peaked|at most|worst[- ]case|slowest single|largest single",
        "max",
    ),
    (r"minim(?:um|a|al)|min\.?|best[- ]case|smallest single|lowest single", "min"),
    (
        r"(?:one |1 )?standard deviations?|(?:one )?sigma|s\.d\.|give or take|1σ|std\.? ?dev(?:iation)?s?\.?|stdev|stddev|std|sd|σ",
        "sd",
    ),
    (r"variance", "variance"),
    (r"in total|totals?|sum|summed|altogether|combined", "sum"),
    (r"interquartile range|iqr", "iqr"),
    (r"(?:confidence )?interval|ci", "interval"),
)
_STATISTIC = re.compile(
    r"(?<![\w])(?:"
    + "|".join(f"({p})" for p, _ in _STATISTICS)
    + r"|p(\d{2}(?:\.\d+)?)|(\d{1,2}(?:\.\d+)?)(?:st|nd|rd|th)[- ]?(?:percentile|pctl|pct)"
    r"|(?:ninety[- ](fifth|ninth))[- ]percentile|(tail)(?= latency| ttft))(?![\w-]|\.\d)",
    re.IGNORECASE,
)
_WARM = re.compile(
    r"\b(?:warm(?:ed)?(?: (?:runs?|requests?|records?))?|steady[- ]state)\b", re.IGNORECASE
)
_COLD = re.compile(r"\b(?:cold(?:[- ](?:starts?|runs?|requests?))?|first request)\b", re.IGNORECASE)
_LEFT_OUT = re.compile(
    r"\b(?:without|excluding|excludes?|ignoring|except(?: for)?|apart from|leaving out|minus|"
    r"dropping|after)(?: the| that| its)?\s*$",
    re.IGNORECASE,
)
_ONE_WORD = (
    r"(?:(?!(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-\w+)?|hundred|all|both|no|the|of|and|a|an)\b)"
    r"[A-Za-z][\w.-]* )?"
)
# What is counted: the noun and its canonical name.
_NOUNS: tuple[tuple[str, str], ...] = (
    (r"(?:primary |distinct |different |main )*(?:file )?(?:formats?|file types?|types of files?)", "types"),
    (r"cold[- ]starts?|model loads|loads", "cold"),
    (r"copies|duplicates|duplicated? (?:rows|records)|repeated rows", "copies"),
    (r"(?:json|\.json)(?:[- ]files?)?(?! (?:schemas?|outputs?|modes?|objects?|keys?|formats?|structures?))", "files:json"),
    (r"(?:csv|\.csv)(?:[- ]files?)?", "files:csv"),
    (r"(?:markdown|md|\.md)(?:[- ](?:files?|documents?|reports?))?", "files:markdown"),
    (r"(?:jsonl|json lines)(?:[- ]files?)?", "files:jsonl"),
    (r"(?:data |result |benchmark |input |source |total )*files?|documents?", "files"),
    (r"failures?|errors?|failed|failing|timeouts?|timed out|unsuccessful(?:ly)?|errored|crashes|did(?: not|n.t) (?:make it|complete|finish|succeed|come back)|aborted|dropped|lost|rejected|went wrong|(?:in|with|returned|gave) (?:an )?errors?", "failed"),
    (r"success(?:es|ful|fully)?|succeeded|succeed|completed|passed", "succeeded"),
    (_ONE_WORD + r"(?:requests?|runs?|records?|samples?|measurements?|rows?|trials?|tests?|"
     r"data ?points?|observations?|inferences?|responses?|answers?|replies|queries|executions|attempts|invocations|data rows|calls?|results?|experiments?|"
     r"entries|generations?(?! tokens?)|completions?(?! tokens?))", "records"),
    (r"(?:distinct |different )?" + _ONE_WORD + r"(?:models|model(?! ?(?:load|size|file|name|family|card|loading|weights))|llms?|contenders?|candidates?|entrants?|competitors?|participants?)(?: variants?)?|variants?", "models"),
    (r"(?:parameter |different |distinct )?(?:configurations?|configs?|settings|combinations?|"
     r"setups?|parameter sets?)", "configurations"),
    (r"prompts?|questions?", "prompts"),
    (r"repeats?|repetitions?|iterations?|reps?", "repeats"),
    (r"quantizations?|quantisations?|quantization levels?|quants", "quantizations"),
    (r"concurrency levels?|load levels?|concurrencies", "concurrency"),
    (r"(?:temperature|context|num_ctx|num_gpu|thread) (?:values?|settings|levels?|sizes?)", "levels"),
    (r"engines?|backends?|servers?", "engines"),
    (r"folders?|director(?:y|ies)", "folders"),
)  # fmt: skip
_NOUN = re.compile(
    r"(?<![\w/])(?:" + "|".join(f"({p})" for p, _ in _NOUNS) + r")(?![\w/])", re.IGNORECASE
)


class Mention(msgspec.Struct, frozen=True):
    """A word of the field in a text, at ``start`` to ``end``.

    ``kind`` is "metric" (``keys``: what it may mean), "statistic", "phase", "noun" or "setting"
    (``key`` with ``value``; a value of None names the setting alone).
    """

    start: int
    end: int
    kind: str
    key: str
    keys: tuple[str, ...] = ()
    value: str | None = None


def metrics_in(text: str) -> list[Mention]:
    """The metrics that a text names."""
    pattern, keys = _metric_pattern()
    return [
        Mention(m.start(), m.end(), "metric", keys[m.lastindex - 1][0], keys[m.lastindex - 1])
        for m in pattern.finditer(text)
        if m.lastindex
    ]


def statistics_in(text: str) -> list[Mention]:
    """The statistics that a text names ("mean", "p95" ...)."""
    found = []
    for match in _STATISTIC.finditer(text):
        index = match.lastindex or 0
        if index <= len(_STATISTICS):
            name = _STATISTICS[index - 1][1]
        elif match[index].lower() == "tail":
            name = "p99"
        else:
            name = "p" + {"fifth": "95", "ninth": "99"}.get(match[index].lower(), match[index])
            name = "median" if name == "p50" else name
        found.append(Mention(match.start(), match.end(), "statistic", name))
    return found


def _is_left_out(match: re.Match[str], text: str) -> bool:
    """Whether cold starts are named as what is not meant ("without the cold run")."""
    after = re.match(
        r"\W*(?:is |are |was |were )?(?:out|aside|excluded|removed|ignored)\b", text[match.end() :]
    )
    return bool(after or _LEFT_OUT.search(text[: match.start()]))


def phases_in(text: str) -> list[Mention]:
    """Words for cold starts and warm runs."""
    return [
        *(Mention(m.start(), m.end(), "phase", "warm") for m in _WARM.finditer(text)),
        *(
            Mention(
                m.start(),
                m.end(),
                "phase",
                "warm" if _is_left_out(m, text) else "cold",
            )
            for m in _COLD.finditer(text)
        ),
    ]


def nouns_in(text: str) -> list[Mention]:
    """What may be counted."""
    return [
        Mention(m.start(), m.end(), "noun", _NOUNS[m.lastindex - 1][1])
        for m in _NOUN.finditer(text)
        if m.lastindex
    ]
