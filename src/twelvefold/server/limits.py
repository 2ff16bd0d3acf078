"""How much a server takes, unless its options say otherwise."""

REQUESTS_PER_MINUTE_MAX = 6000
"""Of one principal."""
FAILURES_PER_MINUTE_MAX = 20
"""Of one address: keys and tokens that were refused."""
