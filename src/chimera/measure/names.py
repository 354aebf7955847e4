"""Configurations and targets in a few words, for people and for the record."""

from __future__ import annotations

from chimera.record.run import Configuration, Options


def named(configuration: Configuration) -> str:
    """A configuration in a few words: its options and load, without what all runs set."""
    parts = [named_options(configuration.options)]
    if configuration.arrival != "closed":
        rate = configuration.request_rate
        parts.append(configuration.arrival + ("" if rate is None else f" {rate:g}/s"))
    elif configuration.concurrency != 1:
        parts.append(f"concurrency={configuration.concurrency}")
    return " ".join(filter(None, parts)) or "the default configuration"


def named_options(options: Options) -> str:
    """Options in a few words, without what all runs set; "" for none."""
    return " ".join(
        f"{name}={value}"
        for name, value in options.as_set().items()
        if name not in ("temperature", "seed")
    )


def without_folder(target: str) -> str:
    """A model file's folder says where it lies on this machine, not which model it is."""
    kind, colon, rest = target.partition(":")
    if kind != "llamacpp" or not rest:
        return target
    return f"{kind}{colon}{rest.replace(chr(92), '/').rpartition('/')[2]}"
