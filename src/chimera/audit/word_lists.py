"""The words that claim something: closed lists, each with what it says of a value or of what is better."""

from __future__ import annotations

import re

# (pattern, +1 or -1, whether it is of the value or of what is better)
MORE: tuple[tuple[str, int, str], ...] = (
    (r"faster|quicker|speedier|snappier|swifter|more quickly", 1, "good"),
    (r"slower|more sluggish|less speedy|more slowly|less responsive", -1, "good"),
    (r"better|more responsive|superior|more efficient", 1, "good"),
    (r"worse|inferior", -1, "good"),
    (r"higher|greater|larger|bigger|more|longer", 1, "value"),
    (r"lower|smaller|less|fewer|shorter", -1, "value"),
)
VERBS: tuple[tuple[str, int, str], ...] = (
    (r"outperform(?:s|ed|ing)?|beat(?:s|en|ing)?|outpace[sd]?|outrun|outruns|outran|edge[sd]? out|"
     r"surpass(?:es|ed)?|(?:is|was|are|were|comes? out|stays?|runs?|finish(?:es|ed)?) ahead of|"
     r"lead(?:s|ing)? over|out-?does|overtake[sn]?|tops?", 1, "good"),
    (r"lag(?:s|ged)? behind|trail(?:s|ed)?(?: behind)?|fall(?:s)? behind|fell behind|"
     r"(?:is|was|are|were) (?:slower|behind)|loses? to|lost to|underperform(?:s|ed)?", -1, "good"),
    (r"exceed(?:s|ed)?|(?:sits?|stays?|ranks?|lies|lands?|is|was) above", 1, "value"),
    (r"undercut(?:s|ting)?|(?:sits?|stays?|ranks?|lies|lands?|is|was) below", -1, "value"),
)  # fmt: skip
THAN = re.compile(
    r"\b(?:" + "|".join(f"({p})" for p, _, _ in MORE) + r")\b(?P<gap>[^;\n]{0,90}?)\b"
    r"(?P<than>than|compared (?:to|with)|relative to|versus|vs\.?|over)\b",
    re.IGNORECASE,
)
VERB = re.compile(r"\b(?:" + "|".join(f"({p})" for p, _, _ in VERBS) + r")\b", re.IGNORECASE)
MOST: tuple[tuple[str, int, str], ...] = (
    (r"fastest|quickest|snappiest|speediest|swiftest", 1, "good"),
    (r"slowest|most sluggish|least speedy|most time-consuming|least responsive|tail-ender|last-placed|laggard", -1, "good"),
    (r"best(?:[- ]performing)?|top(?:[- ]performing| performer)?|winner|leader|chart-topper|front-runner|first-placed|top-placed|number one|frontrunner|pole position|champion|leads|"
     r"wins|came out on top|comes out on top|takes the lead|tops the (?:list|table|field|ranking)|"
     r"is ahead of all|most efficient|superior to all", 1, "good"),
    (r"worst(?:[- ]performing)?|weakest|poorest|brings up the rear|comes last|finishes last|"
     r"trails (?:all|everyone|the field)|least efficient", -1, "good"),
    (r"highest|largest|greatest|most|longest", 1, "value"),
    (r"lowest|smallest|least|shortest|fewest", -1, "value"),
)  # fmt: skip
EXTREME = re.compile(r"\b(?:" + "|".join(f"({p})" for p, _, _ in MOST) + r")\b", re.IGNORECASE)
NTH = {"second": 2, "third": 3, "fourth": 4, "fifth": 5, "2nd": 2, "3rd": 3, "4th": 4, "last": -1,
        "first": 1, "1st": 1, "runner-up": 2}  # fmt: skip
RANK = re.compile(
    r"(?<!per )(?<!each )(?<!every )\b(?P<nth>first|second|third|fourth|fifth|1st|2nd|3rd|4th|last)"
    r"(?:[- ](?P<how>fastest|slowest|quickest|best|worst|highest|lowest|place|rank|position)|"
    r"(?= (?:in|on|for|by|of)\b)|(?=[.,;)]|$))|\b(?P<runner>runner-up)\b|\branks? #?(?P<n>\d)\b",
    re.IGNORECASE,
)
OF_N = re.compile(
    r"\b(?:of|among|out of|across|in)\s+(?:the|all(?: the| of the)?|these|those)\s+"
    r"(?P<n>two|three|four|five|six|seven|eight|nine|ten|\d{1,2})\b(?!\s*(?:%|percent|requests|runs|rows|records|measurements|tests))",
    re.IGNORECASE,
)
AMONG = re.compile(
    r"\b(?:of|among|amongst|between|across|out of|for|from|in)\s+(?:both\s+|the\s+)?[`*\s]*$",
    re.IGNORECASE,
)
N = {
    w: i
    for i, w in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    )
}
UP = (r"comes? up|came up|ris(?:e|es|ing)|rose|risen|increas(?:e|es|ed|ing)|grow(?:s|n|ing)?|grew|climb(?:s|ed|ing)?|"
       r"go(?:es)? up|went up|going up|higher|longer(?! (?:prompts?|contexts?|inputs?|outputs?|answers?))|surg(?:e|es|ed)|jump(?:s|ed)?|upward|rais(?:e|es|ed|ing)|lengthens?|swells?")  # fmt: skip
DOWN = (r"comes? down|came down|coming down|eas(?:es|ed)|fall(?:s|en|ing)?|fell|drop(?:s|ped|ping)?|decreas(?:e|es|ed|ing)|declin(?:e|es|ed|ing)|"
         r"shrink(?:s|ing)?|shrank|go(?:es)? down|went down|going down|lower(?:s|ed|ing)?|reduc(?:e|es|ed|ing)|cuts?|"
         r"sink(?:s|ing)?|sank|diminish(?:es|ed)?|downward|shorter|shortens?|slides?|slid")  # fmt: skip
BETTER = r"improv(?:e|es|ed|ing)|speeds? up|benefits?|helps?|boost(?:s|ed|ing)?"
WORSE = r"degrad(?:e|es|ed|ing)|deteriorat(?:e|es|ed|ing)|worsen(?:s|ed|ing)?|suffers?|hurts?|slow(?:s|ed)? down"
FLAT = (r"flat|unchanged|constant|no (?:measurable |visible |clear |significant )?(?:effect|difference|impact|influence|change)|"
         r"does not (?:change|depend|matter|affect)|independent of|unaffected|stable|steady|hardly changes")  # fmt: skip
MOVES = re.compile(
    rf"\b(?:(?P<up>{UP})|(?P<down>{DOWN})|(?P<better>{BETTER})|(?P<worse>{WORSE})|(?P<flat>{FLAT}))\b",
    re.IGNORECASE,
)
CAUSE = re.compile(
    r"\b(?:since (?:the |its |their |it )?(?:[\w'.-]+ ){1,5}(?:is|are|has|have|suffers?|does|needs?|adds?|cannot)|(?:is|are) what (?:keeps?|makes?)|suffer(?:s|ing|ed)? from|because(?: of)?|due to|which explains|explaining|on the back of|arising from|a by-?product of|the result of|resulting from|that(?:.s| is) why|owes? (?:this|that|its|it)|fuell?ed by|boosted by|helped by|hampered by|held back by|bound by|bounded by|the culprit|is behind (?:this|that|it)|accounts? for (?:this|that|the)|contribut(?:es?|ed|ing) to|for (?:this|that) reason|prompted by|thrott?led by|given (?:its|their|the) (?:larger|smaller|better|worse|higher|lower|more|less)|as (?:its|their|the) \w+ (?:is|are|was|were)|benefit(?:s|ing|ed)? from|suffer(?:s|ing|ed)? from|a consequence|presumably|probably because|likely because|owed|(?:all )?down to|made possible by|(?:is|are|was) to blame|b/c|reflecting|owed to|enabled by|rooted in|on account of|as a function of|owing to|thanks to|caused?(?: by)?|causes|as a (?:direct )?(?:result|consequence)"
    r"(?: of)?|results? (?:from|in)|attribut(?:ed|able) to|driven by|stems? from|leads? to|led to|"
    r"responsible for|explained by|explains? why|the (?:reason|cause)(?: (?:is|was|for|of|why))?|bottleneck(?:s|ed)?|"
    r"which is why|on account of|brought about by|traced? (?:back )?to|comes? (?:down to|from)|is what makes|"
    r"thereby|hence|therefore|consequently|a consequence of|courtesy of|since the|triggered by|limited by|constrained by)\b",
    re.IGNORECASE,
)
ADJECTIVES = re.compile(
    r"\b(?:flawless(?:ly)?|best in class|user[- ]friendly|user experience|best(?: \w+){0,2} for \w+ (?:deployment|use|users|production|workloads?)|strong(?:ly)?|excellent|outstanding|impressive(?:ly)?|remarkabl[ey]|exceptional(?:ly)?|superb|poor(?:ly)?|"
    r"significant(?:ly)?|substantial(?:ly)?|considerabl[ey]|satisfactory|good|bad|nice(?:ly)?|healthy|weak|fine|pleasing|comfortabl[ey]|worrying|alarming|dismal|lousy|awesome|wonderful|snappy|sluggish|painless|surprising(?:ly)?|astonishing(?:ly)?|striking(?:ly)?|staggering|whopping|unacceptable|unsatisfactory|attractive|convincing(?:ly)?|well above average|well below average|above average|below average|usable|unusable|production[- ]ready|enviable|serious|top[- ]tier|noteworthy|breathtaking|perfect(?:ly)?|meh|more than enough|sufficient(?:ly)?|adequate|sensational|unbeatable|stunning|fantastic|decent|lackluster|underwhelming|game-changing|top-notch|first-rate|second to none|unrivalled|unrivaled|unparalleled|promising|encouraging|subpar|awful|superb|exemplary|admirable|formidable|phenomenal|dramatic(?:ally)?|notabl[ey]|robust|reasonabl[ye]|"
    r"acceptable|negligible|markedly|vastly|massive(?:ly)?|huge(?:ly)?|stellar|solid|blazing(?:ly)?|lightning[- ]fast|"
    r"state[- ]of[- ]the[- ]art|world[- ]class|best[- ]in[- ]class|unmatched|superior|mediocre|disappointing|"
    r"overwhelming(?:ly)?|tremendous(?:ly)?|extraordinar(?:y|ily)|highly efficient|efficient(?:ly)?|consistent(?:ly)?|"
    r"stable|predictable|reliabl[ey]|smooth(?:ly)?|respectable|competitive|ideal|optimal(?:ly)?|far superior|amazing(?:ly)?|"
    r"incredibl[ey]|terrible|great|terrific|compelling|commanding|clear(?:ly)? (?:winner|superior)|noticeabl[ey]|sharply|steep(?:ly)?)\b",
    re.IGNORECASE,
)
ADVICE = re.compile(
    r"recommend|next step|future|mitigation|(?:system|persona|user) prompt|^prompts?$",
    re.IGNORECASE,
)
COMES = re.compile(r"\brank|\bplace|\bcomes?\b|\bcame\b|\bfinish", re.IGNORECASE)
GOES_WITH = re.compile(
    r"\b(?:with|by|when|as|at|under|of|for|upon|on)\s+(?:an?\s+|the\s+)?(?:\w+ly\s+)?$",
    re.IGNORECASE,
)
WHILE = re.compile(r"\b(?:as|when|while|if|once)\b[^,]*$", re.IGNORECASE)
OBJECT = re.compile(
    r"\b(?:than|over|versus|vs\.?|compared (?:to|with)|against|behind|of)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
APART = re.compile(
    r"\b(?:cannot|can't|can not|could not) be (?:told|distinguished)|no winner|indistinguishable",
    re.IGNORECASE,
)
DENIED = re.compile(r"\b(?:not|no|cannot|neither|nothing)\b[^.;]{0,30}$", re.IGNORECASE)
LISTED = re.compile(r"[`*\s]*(?:,|and|or|&|, and|,? or)[`*\s]*")
# "from fastest to slowest", "longest first"; the groups are those of MOST.
ORDER = re.compile(
    r"\b(?:"
    + "|".join(f"({p})" for p, _, _ in MOST)
    + r")\b[*`)\]]*\s*(?:(?:comes |goes )?first\b|(?:all the way )?(?:down |up )?to\b|"
    r"through\b|→|->|\.\.|–|(?:leading|heading|topping|opening) the (?:list|pack|table)\b)",
    re.IGNORECASE,
)
ORDER_FROM = re.compile(
    r"\b(?:beginning|starting|headed|opening)\s+(?:with|by|off with|from)\s+(?:the\s+)?(?:"
    + "|".join(f"({p})" for p, _, _ in MOST)
    + r")\b",
    re.IGNORECASE,
)
CHAIN = re.compile(
    r"\bfollowed by\b|(?:\bfirst|\bfastest|\bbest|\bleads|\bhighest)\b[^.]*,\s*then\b|\s[<>]\s",
    re.IGNORECASE,
)
LEADING_OBJECT = re.compile(
    r"^\W*(?:when |if )?(?:compared (?:with|to)|in comparison (?:with|to)|relative to|against|versus|next to|beside|unlike)\b",
    re.IGNORECASE,
)
MORE_WORD = re.compile(r"\b(?:" + "|".join(f"({p})" for p, _, _ in MORE) + r")\b", re.IGNORECASE)

BOTH_ENDS = re.compile(
    r"\b(?:best|fastest|highest|top)(?: \w+)? and (?:the )?(?:worst|slowest|lowest|bottom)\b"
    r"|\b(?:worst|slowest|lowest)(?: \w+)? and (?:the )?(?:best|fastest|highest)\b",
    re.IGNORECASE,
)
