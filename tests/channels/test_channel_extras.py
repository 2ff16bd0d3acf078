"""Importing twelvefold loads no channel, and each missing library is one line that says what to
install."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from wires import WIRES

from twelvefold import guard
from twelvefold.channels.email import Email, Smtp
from twelvefold.deliveries import Delivery, Recipient
from twelvefold.exceptions import ConfigurationError
from twelvefold.store import Ref

pytestmark = pytest.mark.anyio
LOADED = """
import sys
import twelvefold
twelvefold.App([])
print("\\n".join(sys.modules))
"""
VENDORS = ("slack_sdk", "aiosmtplib", "imap_tools", "dkim", "mailparser_reply", "httpx", "twilio")
NEEDED = {
    "slack": ("slack_sdk", r"pip install 'twelvefold\[slack\]'"),
    "email": ("aiosmtplib", r"pip install 'twelvefold\[email\]'"),
    "sms": ("httpx", r"pip install 'twelvefold\[sms\]'"),
    "webhook": ("httpx", r"pip install 'twelvefold\["),
}


def test_importing_twelvefold_loads_no_channel_and_no_library_of_one():
    ran = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = ran.stdout.split()

    assert [name for name in loaded if name.startswith("twelvefold.channels.")] == []
    assert [name for name in loaded if name.partition(".")[0] in VENDORS] == []


def told(name: str, to: str) -> Delivery:
    recipient = Recipient(name, to, "anna")
    return Delivery(Ref("default", "t"), "s1", recipient, "key", text="hello")


@pytest.mark.parametrize("name", NEEDED)
async def test_a_missing_library_is_one_line_that_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    library, said = NEEDED[name]
    guard._httpx.cache_clear()  # another test may have had it loaded
    with WIRES[name]() as wire:
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(ConfigurationError, match=said) as refusal:
            await wire.channel.send(told(name, wire.addresses["anna"]))

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("library", ["dkim", "nacl", "mailparser_reply"])
async def test_what_reads_a_mail_says_what_it_lacks(library: str, monkeypatch: pytest.MonkeyPatch):
    with WIRES["email"]() as wire:
        raw = wire.writes("anna", "hello", at=datetime.now(UTC)).body
        monkeypatch.setitem(sys.modules, library, None)
        reply = raw.replace(b"\r\nTo:", b"\r\nReferences: <0@example.com>\r\nTo:", 1)
        said = rf"needs {library}\. Run: pip install 'twelvefold\[email\]'"
        with pytest.raises(ConfigurationError, match=said):
            wire.channel.read(wire.channel.mail(reply), now=datetime.now(UTC))


def test_sendgrid_says_that_it_needs_cryptography(monkeypatch: pytest.MonkeyPatch):
    given: dict[str, Any] = {"address": "a@b.example", "secret": "a secret of the tests"}
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.serialization", None)

    with pytest.raises(ConfigurationError, match=r"'twelvefold\[email\]'") as refusal:
        Email(**given, smtp=Smtp(host="h"), sendgrid_public_key="AAAA")

    assert "\n" not in str(refusal.value)
