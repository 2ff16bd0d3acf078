"""The command line. Only `call` and `main` are public; what a command needs loads when it runs."""

import sys

from twelvefold.cli.root import call as call


def main() -> None:
    """The entry point of `twelvefold`."""
    sys.exit(call(sys.argv[1:]))
