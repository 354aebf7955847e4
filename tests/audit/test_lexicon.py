"""The words that need proof in what Chimera writes are words that the audit asks proof of."""

from __future__ import annotations

import pytest

from chimera.audit import Auditor
from chimera.facts.lexicon import PHRASES, WORDS

FRAMES = {
    "argmax": [
        "qwen2.5:7b-q4_K_M is the {} in decode throughput.",
        "qwen2.5:7b-q4_K_M {} in decode throughput.",
        "qwen2.5:7b-q4_K_M has the {} decode throughput.",
    ],
    "difference": [
        "mistral:7b is {} than phi4:14b-q8_0 in decode throughput.",
        "mistral:7b {} phi4:14b-q8_0 in decode throughput.",
        "The decode throughput of mistral:7b {} from that of phi4:14b-q8_0.",
        "Decode throughput {} as num_ctx grows.",
        "The difference between mistral:7b and phi4:14b-q8_0 is {}.",
    ],
    "single-factor": [
        "TTFT is higher {} the context.",
        "Memory is the {}.",
        "The context {} a higher TTFT.",
        "{}, TTFT is higher.",
        "TTFT is higher, {} to the context.",
    ],
    "counted": [
        "{} requests of mistral:7b succeeded.",
        "The {} of the requests of mistral:7b had a TTFT above 1 s.",
        "{} of the models decode above 50 tok/s.",
        "{} model decodes above 20 tok/s.",
        "mistral:7b is {} above 40 tok/s.",
    ],
    "test": [
        "The decode throughput of mistral:7b is {}.",
        "mistral:7b and phi4:14b-q8_0 have {} decode throughput.",
        "The decode throughput is {} with num_ctx.",
    ],
    "baseline": [
        "mistral:7b shows {} decode throughput.",
        "The performance of mistral:7b is {}.",
    ],
}
NOT_YET = {"closest", "always", "both", "trend"}  # nothing of the audit tests these


@pytest.mark.parametrize("word", sorted({*WORDS, *PHRASES} - NOT_YET))
def test_a_word_that_needs_proof_is_a_claim(auditor: Auditor, word: str) -> None:
    kinds = {**WORDS, **PHRASES}[word]
    for frame in (f for kind in kinds for f in FRAMES.get(kind, FRAMES["argmax"])):
        text = frame.format(word)
        start = text.index(word)
        text = text[0].upper() + text[1:]
        claims = auditor.audit(text).claims
        if any(c.start < start + len(word) and c.end > start for c in claims):
            return
    pytest.fail(f"nothing asks for the proof of {word!r}")
