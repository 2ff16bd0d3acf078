"""A server that takes only what the vendors' strict modes take, and the proofs that rest on it."""

import sys
from pathlib import Path

# Where the examples' tests keep what loads an example.
sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
