"""Configurations and targets in a few words, for people and for the record."""

from __future__ import annotations

from collections.abc import Sequence

from chimera.record.run import Configuration


def names_of(configurations: Sequence[Configuration]) -> dict[int, str]:
    """Each configuration of a run by its index: the one name that it has everywhere.

    Its options and load, as far as they tell it from the others; a lone one by what was set.
    """
    options = named_options(configurations)
    loads = len({(c.arrival, c.concurrency, c.request_rate) for c in configurations}) > 1
    names = {}
    for one in configurations:
        parts = [options[one.index]] if options[one.index] else []
        if one.arrival != "closed":
            rate = "" if one.request_rate is None else f" {one.request_rate:g}/s"
            parts.append(one.arrival + rate)
        elif loads or one.concurrency != 1:
            parts.append(f"concurrency={one.concurrency}")
        names[one.index] = " ".join(parts) or "the default configuration"
    return names


def named_options(configurations: Sequence[Configuration]) -> dict[int, str]:
    """The part of each name that its options are; "" where these tell nothing apart."""
    options = {c.index: c.options.as_set() for c in configurations}
    keys = list(dict.fromkeys(key for own in options.values() for key in own))
    if len(configurations) > 1:
        keys = [k for k in keys if len({repr(own.get(k)) for own in options.values()}) > 1]
    else:
        keys = [k for k in keys if k not in ("temperature", "seed")]  # which all runs set
    return {
        index: " ".join(f"{key}={own.get(key, 'default')}" for key in keys)
        for index, own in options.items()
    }


def without_folder(target: str) -> str:
    """A model file's folder says where it lies on this machine, not which model it is."""
    kind, colon, rest = target.partition(":")
    if kind != "llamacpp" or not rest:
        return target
    return f"{kind}{colon}{rest.replace(chr(92), '/').rpartition('/')[2]}"
