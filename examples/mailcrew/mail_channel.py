"""Mail, where the environment names its servers; without them `receive.py` and the terminal.

EMAIL_ADDRESS, EMAIL_SECRET; SMTP_HOST, SMTP_USER, SMTP_PASSWORD; IMAP_HOST, IMAP_USER,
IMAP_PASSWORD; INBOX_URL for what is decided in the inbox alone.
"""

from os import environ
from pathlib import Path

from post import Post
from smtp_post import SmtpPost

from twelvefold.channels.email import Email, Imap, Smtp


def smtp() -> Smtp | None:
    host, user = environ.get("SMTP_HOST"), environ.get("SMTP_USER", "")
    return Smtp(host=host, user=user, password=environ.get("SMTP_PASSWORD", "")) if host else None


def channels() -> list[Email]:
    """People are asked by mail, and a reply with a signature decides up to medium risk."""
    if (server := smtp()) is None:
        return []
    imap = Imap(
        host=environ["IMAP_HOST"], user=environ["IMAP_USER"], password=environ["IMAP_PASSWORD"]
    )
    return [
        Email(
            address=environ["EMAIL_ADDRESS"],
            secret=environ["EMAIL_SECRET"],
            smtp=server,
            imap=imap,
            inbox_url=environ.get("INBOX_URL", ""),
            agent="mailcrew",
            invites="medium",
        )
    ]


def post(path: Path) -> Post:
    """What answers customers: the same server, or one that is only a file."""
    server = smtp()
    return Post(path) if server is None else SmtpPost(path, server, environ["EMAIL_ADDRESS"])
