"""One mailbox as fixtures: a Dovecot, and a mail server that delivers into it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.mail_servers import PASSWORD, Post, dovecot, post_office, short_folder
from twelvefold.channels.email import Imap


@pytest.fixture
def mail_folder() -> Iterator[Path]:
    """Where both servers keep what they have."""
    with short_folder() as folder:
        yield folder


@pytest.fixture
def imap(mail_folder: Path) -> Iterator[Imap]:
    with dovecot(mail_folder) as port:
        yield Imap(host="127.0.0.1", port=port, user="agent", password=PASSWORD, tls="none")


@pytest.fixture
def post(mail_folder: Path, imap: Imap) -> Iterator[Post]:
    """It takes what anybody sends; mail to the agent lands in the mailbox."""
    with post_office(mail_folder / "Maildir") as post:
        yield post
