"""``python -m chimera.testing.mock_server``: says its address on one line and serves until it is
ended.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys

from chimera.testing.mock_server.behaviour import FAULTS, BadBehaviour, Behaviour
from chimera.testing.mock_server.loop import Loop
from chimera.testing.mock_server.server import Server
from chimera.testing.mock_server.settings import Settings

_SHORT = {"ttft_ms": float, "itl_ms": float, "tokens": int, "load_ms": float}


class _Parent:
    """Standard input: when it ends, whoever started this server is gone."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def fileno(self) -> int:
        return sys.stdin.fileno()

    def ready(self, _: int) -> None:
        if not os.read(self.fileno(), 4096):
            self._loop.stop()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chimera.testing.mock_server",
        description="A model server with known truth.",
        epilog=f"Options in a model's name: {', '.join(Behaviour.__struct_fields__)}. "
        f"Faults: status_NNN, {', '.join(FAULTS)}.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--model", default="mock", help="the name that lists and metrics call the model")
    for name, kind in _SHORT.items():
        default = Behaviour.__struct_defaults__[Behaviour.__struct_fields__.index(name)]
        option = "--" + name.replace("_", "-")
        add(option, type=kind, metavar="N", help=f"unless the model's name says it ({default:g})")
    add("--defaults", default="", help="any options, as in a model's name: 'chunk=4&usage=none'")
    add("--max-streams", type=int, metavar="N", help="answers at a time; others queue")
    add("--accept-delay-ms", type=float, default=0.0, metavar="N", help="take connections late")
    add("--refuse", action="store_true", help="hold the port, but refuse every connection")
    add("--only", choices=("openai", "ollama"), help="speak one dialect alone")
    add("--tick-us", type=int, default=250, metavar="N", help="shortest sleep (250)")
    add("--with-parent", action="store_true", help="end when standard input ends")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Serve; returns when ended by a signal or by the parent."""
    parser = _arguments()
    given = vars(parser.parse_args(arguments))
    with_parent = given.pop("with_parent")
    short = {name: given.pop(name) for name in _SHORT}
    defaults = [given["defaults"]] if given["defaults"] else []
    defaults += [f"{name}={value}" for name, value in short.items() if value is not None]
    _allow_many_connections()
    loop = Loop(given["tick_us"] * 1000)
    try:
        server = Server(Settings(**given | {"defaults": "&".join(defaults)}), loop)
    except (OSError, OverflowError, BadBehaviour) as error:
        parser.error(str(error))
    signal.signal(signal.SIGTERM, lambda *_: loop.stop())
    print(server.url, flush=True)
    if with_parent:
        loop.watch(_Parent(loop))
    try:
        loop.run()
    except KeyboardInterrupt:
        return 130
    return 0


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
