"""Mail: out by SMTP, in from a mailbox. A first mail begins a thread, a reply continues or answers.

This file is yours: `twelvefold add email` wrote it once. (Not `email.py`: a folder with a file of
that name takes the place of Python's own `email`.) `twelvefold worker` reads the mailbox. Its
settings are in the environment:

- EMAIL_ADDRESS: where mail to the agent goes; `agent+anything@` is delivered there, too
- EMAIL_SECRET: 16 bytes or more, the same in every process; tokens of replies are made of it
- EMAIL_SENDERS: who is listened to, `@example.com anna@example.org`; everybody
- SMTP_HOST, SMTP_PORT (587), SMTP_USER, SMTP_PASSWORD, SMTP_TLS (`starttls`, `tls` or `none`)
- IMAP_HOST, IMAP_PORT (993), IMAP_USER, IMAP_PASSWORD, IMAP_TLS (`tls`); without a host mail is
  sent only
- INBOX_URL: where the web inbox is, for a link to what a mail may not decide
"""

import os
from collections.abc import Mapping
from typing import Literal

from twelvefold.channels.email import Email, Imap, Smtp
from twelvefold.exceptions import ConfigurationError

Tls = Literal["tls", "starttls", "none"]
TLS: Mapping[str, Tls] = {"tls": "tls", "starttls": "starttls", "none": "none"}


def mail(*, agent: str = "") -> Email:
    """`agent`: whose threads a first mail begins; "" begins none."""
    return Email(
        address=_setting("EMAIL_ADDRESS"),
        secret=_setting("EMAIL_SECRET"),
        smtp=Smtp(
            host=_setting("SMTP_HOST"),
            port=_port("SMTP_PORT", 587),
            user=os.environ.get("SMTP_USER", ""),
            password=os.environ.get("SMTP_PASSWORD", ""),
            tls=_tls("SMTP_TLS", "starttls"),
        ),
        imap=_mailbox(),
        senders=os.environ.get("EMAIL_SENDERS", "").split() or None,
        inbox_url=os.environ.get("INBOX_URL", ""),
        agent=agent,
    )


def _mailbox() -> Imap | None:
    if not os.environ.get("IMAP_HOST"):
        return None
    return Imap(
        host=_setting("IMAP_HOST"),
        port=_port("IMAP_PORT", 993),
        user=_setting("IMAP_USER"),
        password=_setting("IMAP_PASSWORD"),
        tls=_tls("IMAP_TLS", "tls"),
    )


def _setting(name: str) -> str:
    if value := os.environ.get(name):
        return value
    raise ConfigurationError(f"channels/mail.py needs {name}: set it in the environment.")


def _port(name: str, default: int) -> int:
    given = os.environ.get(name) or str(default)
    if given.isdecimal():
        return int(given)
    raise ConfigurationError(f"{name} is {given!r}, and a port is a number.")


def _tls(name: str, default: Tls) -> Tls:
    given = os.environ.get(name) or default
    if given not in TLS:
        raise ConfigurationError(f"{name} is {given!r}; it is one of {', '.join(TLS)}.")
    return TLS[given]
