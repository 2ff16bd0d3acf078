"""twelvefold: an agent as a pure function over an append-only log."""

__version__ = "0.1.0"
