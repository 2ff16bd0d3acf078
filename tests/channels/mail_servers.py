"""Real servers on loopback: SMTP by aiosmtpd, which delivers into Maildirs; IMAP by Dovecot.

Mails of people are signed with keys that the tests hold and a DNS that the tests are.
"""

import asyncio
import base64
import getpass
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from functools import cache
from mailbox import Maildir
from pathlib import Path
from typing import Any

import aiosmtplib
import dkim
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ports import free_port

AGENT, ANNA, BEN = "agent@bot.example", "anna@example.com", "ben@example.com"
PASSWORD = "the-password-of-the-tests"
DOMAINS = ("example.com", "crew.example.com", "evil.example")
PATIENCE_S = 20.0
DOVECOT = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

NO_TLS = "ssl = no\ndisable_plaintext_auth = no"
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
{tls}
{users}
first_valid_uid = 0
first_valid_gid = 0
mail_location = maildir:{folder}/Maildir
mail_uid = {user}
mail_gid = {group}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@dataclass
class Post:
    """An SMTP server. `sent` are (recipient, mail); while it is `down`, each try is a 451. Mail to
    `AGENT`, with or without a token, lands in `maildir`."""

    port: int = 0
    down: bool = False
    password: str = ""
    maildir: Path | None = None
    sent: list[tuple[str, EmailMessage]] = field(default_factory=list[tuple[str, EmailMessage]])

    def authenticated(self, server: Any, session: Any, envelope: Any, kind: str, given: Any) -> Any:
        return AuthResult(success=given.password.decode() == self.password, handled=False)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.down:
            return "451 4.3.0 try again later"
        mail: Any = message_from_bytes(envelope.content, policy=default)
        self.sent += [(to, mail) for to in envelope.rcpt_tos]
        if self.maildir is not None and any(to.startswith("agent") for to in envelope.rcpt_tos):
            Maildir(self.maildir).add(envelope.content)
        return "250 OK"

    def to(self, address: str) -> EmailMessage:
        """The newest mail to an address."""
        return [mail for to, mail in self.sent if to == address][-1]


@contextmanager
def post_office(maildir: Path | None = None, **options: Any) -> Iterator[Post]:
    """`options`: those of aiosmtpd, such as `ssl_context`."""
    post = Post(port=free_port(), maildir=maildir)
    running = Controller(
        post,
        hostname="127.0.0.1",
        port=post.port,
        authenticator=post.authenticated,
        auth_require_tls=False,
        **options,
    )
    running.start()
    try:
        yield post
    finally:
        running.stop()


@contextmanager
def dovecot(folder: Path, *, port: int = 0, **options: Any) -> Iterator[int]:
    """The port of an IMAP server for one Maildir in a folder with a short path."""
    port = port or free_port()
    running = started(folder, port=port, **options)
    try:
        yield port
    finally:
        _end(running)


def started(
    folder: Path, *, port: int, tls: str = NO_TLS, at_once: bool = False
) -> "subprocess.Popen[bytes]":
    """Dovecot, as soon as it answers. `tls`: lines of its configuration; `at_once`: whether the
    port speaks TLS from the first byte on."""
    assert DOVECOT is not None
    is_root = os.geteuid() == 0
    user = "nobody" if is_root else getpass.getuser()  # Dovecot reads no mail as root
    group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    for name in ("run", "state", "home"):
        (folder / name).mkdir(exist_ok=True)
    Maildir(folder / "Maildir", create=True)
    if is_root:
        for part in ("Maildir", "Maildir/cur", "Maildir/new", "Maildir/tmp", "home"):
            shutil.chown(folder / part, user, group)
            (folder / part).chmod(0o755)
    config = folder / "dovecot.conf"
    alone = f"default_internal_user = {user}\ndefault_internal_group = {group}\n"
    alone += f"default_login_user = {user}"
    users = "" if is_root else alone  # where root starts it, it has users of its own for that
    given: dict[str, Any] = {"users": users, "user": user, "group": group, "password": PASSWORD}
    given |= {"plain_port": 0 if at_once else port, "tls_port": port if at_once else 0}
    config.write_text(CONFIG.format(folder=folder, tls=tls, **given))
    running = subprocess.Popen([DOVECOT, "-F", "-c", str(config)], start_new_session=True)
    _await_port(port, running, folder / "dovecot.log")
    return running


def killed(running: "subprocess.Popen[bytes]") -> None:
    """All of it at once, as by a power cut."""
    os.killpg(running.pid, signal.SIGKILL)
    running.wait(PATIENCE_S)


@contextmanager
def short_folder() -> Iterator[Path]:
    """Dovecot's sockets have paths of at most 108 characters."""
    with tempfile.TemporaryDirectory(prefix="mail") as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def mailed(post: Post, raw: bytes, to: str = AGENT) -> None:
    """As the mail server of a person delivers it."""
    await aiosmtplib.send(
        raw, sender=ANNA, recipients=[to], hostname="127.0.0.1", port=post.port, start_tls=False
    )


def unseen(folder: Path) -> int:
    """By the names of the files alone: the server moves them from `new` to `cur` meanwhile."""
    names = [mail.name for part in ("new", "cur") for mail in (folder / "Maildir" / part).iterdir()]
    return sum("S" not in name.partition(":2,")[2] for name in names)


async def became(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 # another program makes it true
            await asyncio.sleep(0.02)


def _end(running: "subprocess.Popen[bytes]") -> None:
    """It ends those it has started; where it does not in time, all of its group are killed."""
    running.terminate()
    try:
        running.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(PATIENCE_S)


def _await_port(port: int, running: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and running.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text() if log.exists() else "dovecot said nothing")


# Mails of people, signed


@cache
def key_of(domain: str) -> tuple[bytes, bytes]:
    """The private key of a domain, and its record in DNS."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return private, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def dns(name: str) -> bytes | None:
    """The keys of DOMAINS, and no other."""
    domain = name.rstrip(".").removeprefix("s1._domainkey.")
    return key_of(domain)[1] if domain in DOMAINS else None


def written(
    text: str, *, to: str = AGENT, sender: str = ANNA, id: str = "<1@example.com>", **headers: str
) -> bytes:
    """A mail that nobody has signed. Headers as `In_Reply_To="<...>"`."""
    mail = EmailMessage(policy=SMTP)
    given = {"From": sender, "To": to, "Subject": "the parcel", "Message-ID": id} | headers
    for name, value in given.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def signed(raw: bytes, *, domain: str = "example.com", **options: Any) -> bytes:
    given = {"include_headers": [b"from", b"to", b"subject", b"message-id"]} | options
    header = dkim.sign(raw, b"s1", domain.encode(), key_of(domain)[0], **given)
    return header + raw


def answering(mail: EmailMessage, text: str, **options: Any) -> bytes:
    """The reply of a mail client, with what it quotes."""
    quoted = "\n".join(f"> {line}" for line in plain(mail).splitlines())
    body = f"{text}\n\nOn Fri, Nov 20, 2026 at 10:00 AM Bot <{AGENT}> wrote:\n{quoted}\n"
    references = f"{mail['References'] or ''} {mail['Message-ID']}".strip()
    given = {
        "to": str(mail["Reply-To"]),
        "id": "<2@example.com>",
        "Subject": str(mail["Subject"]),
        "In_Reply_To": str(mail["Message-ID"]),
        "References": references,
    }
    return written(body, **(given | options))


def plain(mail: EmailMessage) -> str:
    part: Any = mail.get_body(("plain",))
    return str(part.get_content())


def html(mail: EmailMessage) -> str:
    part: Any = mail.get_body(("html",))
    return str(part.get_content())
