"""The words that a cited sentence may be made of: a closed list, because what is not in it could
claim something that no test of ours proves.

Words of the lexicon (``chimera.facts.lexicon``) are not here: each has a test of its own.
"""

from __future__ import annotations

from chimera.agents.cite.cards import UNSPOKEN, spoken_metric
from chimera.record.vocabulary import METRICS

_GRAMMAR = """
a an the this that these those it its their they them which who whose what of in on at to from for
with by per as and or but while whereas where when if then than so also too against between across
among during within under over beside besides versus vs here there is are was were be
been being has have had having does do did
"""
_VERBS = """
reach reaches reached reaching show shows showed shown need needs needed take takes took taken give
gives gave given deliver delivers delivered yield yields yielded record records recorded measure
measures measured report reports reported stand stands stood lie lies lay come comes came hold holds
held run runs ran average averages averaged generate generates generated produce produces produced
start starts started answer answers answered respond responds responded process processes processed
compare compares compared comparing change changes changed changing move moves moved differ see seen
look looks found find finds note notes sits sit amounts amount goes go went going moving set sets
using use uses used has gets get got spends spend spent registers registered posts posted achieves
achieve achieved provides provide provided includes include included covers cover covered
"""
_NOUNS = """
model models record records request requests run runs token tokens throughput latency time times
start starts cold warm mean median average minimum maximum difference differences ratio factor gap
gaps interval value values figure figures result results data file files folder configuration
configurations setting settings condition conditions prompt prompts measurement measurements
comparison comparisons pair side sides level levels sweep parameter parameters benchmark report
test tests output input generation decode decoding prefill speed rate context thread threads
server engine response responses answers analysis summary performance metric metrics statistic end
shared
"""
_OTHERS = """
respectively separately measured own respective following corresponding reported observed effect
effects namely again instead terms case cases
"""
ORDINARY = frozenset((_GRAMMAR + _VERBS + _NOUNS + _OTHERS).split())

# How each metric may be called in a sentence: its label, and what else means just this.
SPOKEN: dict[str, tuple[str, ...]] = {
    key: (spoken_metric(key).lower(),) for key in METRICS if key not in UNSPOKEN
}
SPOKEN["ttft"] = ("time to first token", "ttft")
SPOKEN["tpot"] = ("time per output token", "tpot")
SPOKEN["itl"] = ("inter-token latency", "itl")
SPOKEN["e2e_latency"] = ("end-to-end latency",)
SPOKEN["token_rate"] = ("token rate as reported", "token rate")

SAID_STATISTIC = {
    "mean": "mean",
    "average": "mean",
    "averages": "mean",
    "averaged": "mean",
    "median": "median",
    "minimum": "min",
    "maximum": "max",
}
# What must be said with a difference, a ratio and a change, so that a reader knows what it is.
SAID_KIND = {
    "difference": frozenset({"difference", "gap", "by", "differ"}),
    "ratio": frozenset({"factor", "ratio"}),
    "change": frozenset({"change", "changes", "changed", "changing", "move", "moves", "moved"}),
}
# Comparisons and the side that they claim for what stands before them.
COMPARING = {
    "faster": "ahead",
    "quicker": "ahead",
    "better": "ahead",
    "outperforms": "ahead",
    "beats": "ahead",
    "ahead": "ahead",
    "slower": "behind",
    "worse": "behind",
    "behind": "behind",
    "higher": "larger",
    "exceeds": "larger",
    "longer": "larger",
    "lower": "smaller",
    "shorter": "smaller",
}
EXTREMES = {
    "fastest": "ahead",
    "quickest": "ahead",
    "best": "ahead",
    "leads": "ahead",
    "slowest": "behind",
    "worst": "behind",
    "highest": "larger",
    "lowest": "smaller",
}
TIME_WORDS = frozenset({"longer", "shorter"})  # said of times alone
UNTOLD = ("cannot be told apart", "cannot be told from chance")
_DATES = """
january february march april june july august september october november december monday tuesday
wednesday thursday friday saturday sunday today yesterday tomorrow
"""
DATES = frozenset(_DATES.split())
