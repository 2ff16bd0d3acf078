"""Personal data and keys out of texts, each by a visible mark such as `[redacted: e-mail]`.

`App(redact=redact)` does it before the append: what is redacted never reaches the log.
`menu.redacted(events)` does it in the view: the log keeps it, the model does not read it.

What a pattern does not find stays: names, addresses, a number in words, a key without a known
beginning, what is split over lines or encoded. Patterns are a net, not a wall.
"""

import re

E_MAIL = re.compile(
    r"(?<![\w.+%-])(?P<e_mail>[\w+%-][\w.+%-]{0,63}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})(?![\w-])"
)
CARD = re.compile(
    r"(?<![\w.-])(?P<card>[0-9]{13,19}"
    r"|[0-9]{4}([ -])[0-9]{4}\2[0-9]{4}\2[0-9]{4}"  # 4111 1111 1111 1111
    r"|[0-9]{4}([ -])[0-9]{6}\3[0-9]{5}"  # 3782 822463 10005
    r")(?![\w-])"
)
PHONE = re.compile(
    r"(?<![\w.+-])(?P<phone>"
    r"\+[1-9][0-9]{0,2}(?:[ ./-]{0,2}\(?[0-9]{1,5}\)?){2,6}"  # +49 (0)30 1234-567
    r"|\([0-9]{2,5}\)[ -]?[0-9]{3,4}(?:[ -][0-9]{2,4}){1,2}"  # (555) 010-9999
    r"|[0-9]{3}([ .-])[0-9]{3}\2[0-9]{4}"  # 555-010-9999
    r"|0[0-9]{1,4}[ /-][0-9]{3,8}(?:[ -][0-9]{2,4}){0,2}"  # 030 1234567
    r")(?![\w-])"
)
TOKEN = re.compile(r"(?i:\b(?:bearer|basic)[ \t]{1,4})(?P<token>[\w.~+/=-]{8,4000})")
API_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?P<api_key>"
    r"(?:sk|pk|rk)[_-][A-Za-z0-9_-]{16,400}"  # OpenAI, Anthropic, Stripe
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|glpat-[\w-]{20,100}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,255}"  # Slack
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{35}"  # AWS, Google
    r"|eyJ[\w-]{8,2000}\.eyJ[\w-]{8,2000}\.[\w-]{8,2000}"  # a signed JSON web token
    r")(?![A-Za-z0-9])"
)
PATTERNS = (TOKEN, API_KEY, E_MAIL, CARD, PHONE)


class Redaction:
    """A function from a text to the text without what the patterns find.

    A named group is what is replaced, and its name stands in the mark: `(?P<order_id>A-[0-9]+)`
    gives `[redacted: order-id]`. A pattern without a named group is replaced whole. What a group
    `card` finds is replaced only where its check digit is right.
    """

    def __init__(self, *patterns: re.Pattern[str]) -> None:
        self._patterns = patterns

    def __call__(self, text: str) -> str:
        for pattern in self._patterns:
            text = pattern.sub(_redacted, text)
        return text


redact = Redaction(*PATTERNS)


def _redacted(found: re.Match[str]) -> str:
    groups = [name for name, text in found.groupdict().items() if text is not None]
    if not groups:
        return "[redacted]"
    [name, *_] = groups
    if name == "card" and not _is_card(found[name]):
        return found[0]
    begins, ends = found.start(name) - found.start(), found.end(name) - found.start()
    mark = f"[redacted: {name.replace('_', '-')}]"
    return found[0][:begins] + mark + found[0][ends:]


def _is_card(text: str) -> bool:
    """Luhn's check: every second digit from the right doubled, the sum a multiple of ten."""
    digits = [int(char) for char in reversed(text) if char.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0 and any(digits)
