"""The command line. Only `call` and `main` are public; what a command needs loads when it runs."""

import sys
from pathlib import Path

from twelvefold.cli.exits import CONFIGURATION
from twelvefold.cli.root import call as call
from twelvefold.exceptions import ConfigurationError
from twelvefold.scaffold.using import use_ejected


def main() -> None:
    """The entry point of `twelvefold`. What the project ejected is in place before it is needed."""
    try:
        use_ejected(Path.cwd())
    except ConfigurationError as error:
        sys.stderr.write(f"error: {error}\nnext:  mend it, or take out that line\n")
        sys.exit(CONFIGURATION)
    sys.exit(call(sys.argv[1:]))
