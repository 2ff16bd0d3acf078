"""The root of all that twelvefold raises."""


class TwelvefoldError(Exception):
    """Catch this to catch everything that twelvefold raises."""
