"""The command ``chimera``: its verbs, found when they are used, and how every error ends.

No verb's module is imported before it runs, so ``chimera --help`` costs click and nothing else.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper

import click

from chimera import __version__
from chimera.errors import ChimeraError, InputError, OutputError

# verb -> its line in ``chimera --help``; the module chimera.cli.<verb> exports ``command``.
COMMANDS = {
    "report": "Write a report about a folder of results.",
    "facts": "List the facts of a folder, and explain one.",
    "audit": "Check reports claim by claim against the data that they describe.",
    "ingest": "Show what each file of a folder holds.",
    "bench": "Measure a model and keep every sample.",
    "duel": "Run agents side by side, and measure each alone as well.",
    "runs": "List, tag, delete, export and import stored runs.",
    "doctor": "Look a target over before measuring it.",
    "selftest": "Measure what this client adds to the truth.",
    "demo": "Report on the example measurements with the embedded model.",
    "personas": "List the personas and what each one writes.",
}

_FULL = (errno.ENOSPC, errno.EDQUOT)
EXIT_UNEXPECTED = 70  # EX_SOFTWARE of sysexits.h
EXIT_STOPPED = 130  # 128 + SIGINT, what a shell expects
EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE, the same


# click's way of showing the help of a group without a verb; its older versions have no such error.
_WANTS_HELP: type[Exception] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())


class LazyGroup(click.Group):
    """A group that imports a verb's module only to run it or to show its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"chimera.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="chimera %(version)s")
def cli() -> None:
    """Measure language-model inference and report it without a wrong number.

    Begin with `chimera demo`, or with `chimera report FOLDER` on results of yours.
    """


def main(argv: list[str] | None = None) -> int:
    """Run ``chimera`` with ``argv`` (default: the process's own) and return the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    _have_streams()
    try:
        if "_CHIMERA_COMPLETE" in os.environ:
            return _complete()
        code = _run(arguments)
        sys.stdout.flush()  # here, where a closed pipe is still ours to handle
    except BrokenPipeError as error:
        if not _reader_has_gone():
            return _unexpected(error)
        # Python's own flush at exit must not complain about it either.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open until exit
        return EXIT_BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        return _say("chimera: stopped", EXIT_STOPPED)
    except click.ClickException as error:
        return _usage(error)
    except ChimeraError as error:
        return _refuse(error)
    except OSError as error:
        if error.errno not in _FULL:
            return _unexpected(error)
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as above
        return _refuse(OutputError(f"cannot write the output: {error.strerror}; make room for it"))
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _unexpected(error)
    return code


def _have_streams() -> None:
    """A shell can start a program with its output closed (``>&-``): nobody wants to see it."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open until exit
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open until exit


def _refuse_empty_values(arguments: list[str]) -> None:
    """An empty value is nearly always an unset variable of a shell: no default stands in for it."""
    for before, word in zip(["", *arguments], arguments, strict=False):
        flag = before if word == "" else word.removesuffix("=") if word.endswith("=") else ""
        if flag.startswith("-") and "=" not in flag:  # what follows a "=" may be a secret
            raise InputError(f"{flag} has an empty value; leave it out, or give it one")


def _run(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A file name need not be text; it is shown escaped rather than ending the program.
            stream.reconfigure(errors="backslashreplace")
    _refuse_empty_values(arguments)
    try:
        with cli.make_context("chimera", arguments) as context:
            cli.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    return 0


def _complete() -> int:
    """Answer the shell: ``_CHIMERA_COMPLETE=bash_source chimera`` prints its script."""
    from click.shell_completion import shell_complete

    return shell_complete(cli, {}, "chimera", "_CHIMERA_COMPLETE", os.environ["_CHIMERA_COMPLETE"])


def _reader_has_gone() -> bool:
    """Whether it is our output that nobody reads any more, not a pipe to some other process."""
    import select

    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _usage(error: click.ClickException) -> int:
    """One line for words that cannot be understood, and where to look them up."""
    ctx = getattr(error, "ctx", None)
    if ctx is None or isinstance(error, _WANTS_HELP):
        error.show()
        return error.exit_code
    what = _one_line(" ".join(error.format_message().split())).rstrip(".")
    return _say(f"{ctx.command_path}: {what} (see {ctx.command_path} --help)", error.exit_code)


def _refuse(error: ChimeraError) -> int:
    """One line for what went wrong and, where the error knows one, one for the next step."""
    if _debugging():
        _traceback(error)
    _say(f"chimera: error: {_one_line(str(error))}", error.exit_code)
    hint = getattr(error, "hint", "")
    return _say(f"chimera: hint: {_one_line(hint)}", error.exit_code) if hint else error.exit_code


def _unexpected(error: Exception) -> int:
    what = _one_line(f"{type(error).__name__}: {error}")
    if _debugging():
        _traceback(error)
        return _say(f"chimera: unexpected error: {what}", EXIT_UNEXPECTED)
    return _say(
        f"chimera: unexpected error: {what} (CHIMERA_DEBUG=1 shows the traceback)",
        EXIT_UNEXPECTED,
    )


def _debugging() -> bool:
    return os.environ.get("CHIMERA_DEBUG", "") not in ("", "0")


def _traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(error, file=sys.stderr)


def _one_line(text: str) -> str:
    """``text`` with control characters escaped: a file's name must not draw on the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _say(line: str, code: int) -> int:
    """Print ``line`` on stderr and return ``code``; stderr may be closed, and that is no error."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)
    return code
