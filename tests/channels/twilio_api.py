"""Twilio's API on loopback, as far as the channel calls it; and requests as Twilio signs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode

from twelvefold.channels.sms import signature
from twelvefold.inbound import Inbound
from web_thread import Answering, web_thread

ANNA, BEN, URL = "+4915111111111", "+4915222222222", "https://bot.example/v1/triggers/sms"
TOKEN = "the-token-of-the-tests"


@dataclass
class Twilio:
    """`sent` are the forms of messages; while it is `down`, each request is an HTTP 503."""

    url: str = ""
    down: bool = False
    sent: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def to(self, number: str) -> str:
        """The newest message to a number."""
        return [one["Body"] for one in self.sent if one["To"] == number][-1]

    def code(self, number: str) -> str:
        said = self.to(number).splitlines()[-1]
        return next(word.strip(",") for word in said.split() if word.strip(",").isdigit())


@contextmanager
def twilio_api() -> Iterator[Twilio]:
    twilio = Twilio()

    class Answers(Answering):
        def do_POST(self) -> None:
            form = parse_qs(self.body().decode())
            status = 503 if twilio.down else 201
            if status == 201:
                twilio.sent.append({name: values[0] for name, values in form.items()})
            self.say(status, {"sid": f"SM{len(twilio.sent)}"})

    with web_thread(Answers) as port:
        twilio.url = f"http://127.0.0.1:{port}"
        yield twilio


def text(said: str, *, sender: str = ANNA, sid: str = "SM9", **more: str) -> Inbound:
    form = {"MessageSid": sid, "From": sender, "To": "+1555", "Body": said} | more
    headers = {"x-twilio-signature": signature(TOKEN, URL, form)}
    return Inbound(urlencode(form).encode(), headers)
