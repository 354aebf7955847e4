"""What can be learnt of a model from its entry in a server's list, and from its name."""

from __future__ import annotations

import re
from typing import Any

from chimera.engines.base import ModelIdentity

_QUANTIZATION = re.compile(
    r"(?:^|[-_:/. ])(i?q[2-8]_(?:k(?:_[sml]|_xl)?|[01]|nl|xs|xxs|[sm])|fp?(?:16|32|8)|bf16|int[48]|"
    r"awq|gptq|nvfp4|mxfp4|w4a16|w8a8|exl2)(?=$|[-_:/. ])",
    re.IGNORECASE,
)


def short_quantization(ftype: str) -> str:
    """llama.cpp's own name of a quantization in the short form that everyone uses.

    >>> short_quantization("Q4_K - Medium"), short_quantization("Q8_0")
    ('Q4_K_M', 'Q8_0')
    """
    match = re.fullmatch(r"(\w+) - (Small|Medium|Large)", ftype)
    return f"{match[1]}_{match[2][0]}" if match else ftype


def quantization_in(name: str) -> str | None:
    """The quantization that stands in a model's name, None without one.

    >>> quantization_in("Qwen/Qwen3-8B-AWQ"), quantization_in("gemma-3-270m-q4_k_m.gguf")
    ('AWQ', 'q4_k_m')
    """
    match = _QUANTIZATION.search(name)
    return match[1] if match else None


def model_identity(model: str, entry: dict[str, Any]) -> ModelIdentity:
    """The identity of ``model`` by its ``entry`` in a list of models; llama.cpp's server says
    more there than others do. A name that is a path loses its folders.
    """
    told = entry.get("meta")
    meta: dict[str, Any] = told if isinstance(told, dict) else {}
    ftype = meta.get("ftype")
    name = re.split(r"[/\\]", model)[-1] if re.match(r"[/\\~]|[A-Za-z]:[/\\]", model) else model
    quantization = (
        short_quantization(ftype) if isinstance(ftype, str) and ftype else quantization_in(name)
    )
    size, parameters = _count(meta.get("size")), _count(meta.get("n_params"))
    missing = {
        "file": "the server does not say",
        "sha256": "the server does not say",
        "quantization": "neither the server nor the model's name says it",
        "size_bytes": "the server does not say",
        "parameters": "the server does not say",
    }
    learnt = {"quantization": quantization, "size_bytes": size, "parameters": parameters}
    for field, value in learnt.items():
        if value is not None:
            del missing[field]
    return ModelIdentity(
        name=name,
        quantization=quantization,
        size_bytes=size,
        parameters=parameters,
        not_learnt=missing,
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
