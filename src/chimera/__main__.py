"""The command ``chimera``, also as ``python -m chimera``."""

import sys


def run() -> int:
    """Run the command; Ctrl-C is no traceback even while its first modules are imported."""
    try:
        from chimera.cli.main import main

        return main()
    except KeyboardInterrupt:
        print("chimera: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run())
