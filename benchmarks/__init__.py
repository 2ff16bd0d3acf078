"""What twelvefold costs, against the same work written by hand. `python -m benchmarks --help`."""
