"""In by Linear's webhook, out and back by mail, where the environment names both.

LINEAR_WEBHOOK_SECRET; EMAIL_ADDRESS, EMAIL_SECRET; SMTP_HOST, SMTP_USER, SMTP_PASSWORD; IMAP_HOST,
IMAP_USER, IMAP_PASSWORD.
"""

from collections.abc import Mapping
from os import environ
from typing import Any

from twelvefold.channels.email import Email, Imap, Smtp
from twelvefold.channels.linear import Linear
from twelvefold.triggers import Occurrence


def meant(event: str, payload: Mapping[str, Any]) -> Occurrence | None:
    """A new issue is one thread, however often Linear tells of it; all else means nothing here."""
    if event != "Issue.create":
        return None
    issue = payload["data"]
    about = {"title": issue["title"], "url": payload["url"]}
    return Occurrence(f"triage {issue['identifier']}", conversation=payload["url"], about=about)


def channels() -> list[Linear | Email]:
    if "LINEAR_WEBHOOK_SECRET" not in environ:
        return []
    linear = Linear(secret=environ["LINEAR_WEBHOOK_SECRET"], agent="triage", on=meant)
    return [linear, mail()] if "SMTP_HOST" in environ else [linear]


def mail() -> Email:
    """It begins no threads: only issues do."""
    user, password = environ.get("SMTP_USER", ""), environ.get("SMTP_PASSWORD", "")
    return Email(
        address=environ["EMAIL_ADDRESS"],
        secret=environ["EMAIL_SECRET"],
        smtp=Smtp(host=environ["SMTP_HOST"], user=user, password=password),
        imap=Imap(
            host=environ["IMAP_HOST"], user=environ["IMAP_USER"], password=environ["IMAP_PASSWORD"]
        ),
        invites="medium",
    )
