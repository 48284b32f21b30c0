"""The console entry point, and ``python -m wsyncsim``. Ctrl-C ends it quietly from the first import on."""

from __future__ import annotations

import sys
from typing import NoReturn

EXIT_INTERRUPTED = 2


def main() -> NoReturn:
    """Run the command line; see ``wsyncsim.cli.main``."""
    try:
        from wsyncsim.cli import main as run

        run()
    except KeyboardInterrupt:  # before the command line is there to say it
        if sys.stderr is not None:
            sys.stderr.write("wsyncsim: interrupted; nothing was left behind\n")
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
