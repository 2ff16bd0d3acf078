"""The secrets that one run has read, and everything it says without them and otherwise redacted.

Each value is replaced by its name as it is and in the forms in which errors quote it: with escapes,
as JSON, on one line, in a URL. What a tool encodes otherwise (base64, half of it) is not found.
"""

import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from twelvefold.context.texts import Redact
from twelvefold.secrets import SecretRef, Secrets, look_up


class Resolved:
    """Looks secrets up for one run, and hides those it has looked up."""

    def __init__(
        self, secrets: Secrets | None, tenant: str, *, redact: Redact | None = None
    ) -> None:
        self._secrets, self._tenant, self._redact = secrets, tenant, redact
        self._instead: dict[str, str] = {}

    def read(self, ref: SecretRef | str) -> str:
        """Raises `NothingHappened`."""
        value = look_up(self._secrets, ref, tenant=self._tenant)
        # A new dict, longest first: another thread may be in the middle of hiding.
        forms = dict.fromkeys(_forms(value), f"[secret {ref}]")
        self._instead = dict(sorted((self._instead | forms).items(), key=lambda i: -len(i[0])))
        return value

    @property
    def hide(self) -> Callable[[str], str] | None:
        """A text without the values, and redacted; None while there is nothing to hide."""
        return self._hidden if self._instead or self._redact else None

    def _hidden(self, text: str) -> str:
        for value, instead in self._instead.items():
            text = text.replace(value, instead)
        return text if self._redact is None else _redacted(text, self._redact)

    def hidden_bytes(self, content: bytes) -> bytes:
        for value, instead in self._instead.items():
            content = content.replace(value.encode(errors="surrogatepass"), instead.encode())
        return content


def _redacted(text: str, redact: Redact) -> str:
    try:
        return redact(text)
    except Exception as error:  # an outcome is never lost, and never let through as it is
        return f"[redacted: all of it, since redact raised {type(error).__name__}]"


def _forms(value: str) -> set[str]:
    escaped = {repr(value), json.dumps(value), json.dumps(value, ensure_ascii=False)}
    quoted = {quote(value, safe=safe, errors="surrogatepass") for safe in ("", "/")}
    plain = {value, " ".join(value.split()), quote_plus(value, errors="surrogatepass")}
    return (plain | quoted | {text[1:-1] for text in escaped}) - {""}
