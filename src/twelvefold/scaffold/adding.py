"""Pieces: small files that `twelvefold add` copies into a project, and what is left to do by hand.

A piece is one file. It is the project's from then on: nothing registers it and nothing updates it,
so the lines that put it to work are said, and written by whoever owns the project.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from twelvefold.scaffold.writing import Change, changes

FOLDER = Path(__file__).parent / "pieces"


@dataclass(frozen=True, slots=True)
class Piece:
    """`path`: where it goes, below the root of the project. `given`: what goes into `App(...)`.

    `imported`: the line above it. `install`: what `pip install` takes; empty for nothing.
    `settings`: what has to be in the environment. `says`, and `then`: in words.
    """

    path: str
    says: str
    imported: str
    given: str = ""
    install: str = ""
    settings: tuple[str, ...] = ()
    then: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return (FOLDER / self.path).read_text(encoding="utf-8")


PIECES: Mapping[str, Piece] = {
    "slack": Piece(
        "channels/slack.py",
        "People are asked in Slack, with buttons",
        "from channels.slack import slack",
        'channels=[slack(agent="bot")]',
        install="'twelvefold[slack]'",
        settings=("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"),
        then=(
            'App(..., directory=Directory(addresses={"anna": {"slack": "U0123456"}}))',
            'App(..., settles={..., "slack": "high"}) lets Slack settle high risk, too',
        ),
    ),
    "email": Piece(
        "channels/mail.py",
        "People are asked by mail, and answer by a reply",
        "from channels.mail import mail",
        'channels=[mail(agent="bot")]',
        install="'twelvefold[email]'",
        settings=("EMAIL_ADDRESS", "EMAIL_SECRET", "SMTP_HOST"),
        then=(
            'App(..., directory=Directory(addresses={"anna": {"email": "anna@example.com"}}))',
            "twelvefold worker, or dev, reads the mailbox that IMAP_HOST and the like name",
        ),
    ),
    "sms": Piece(
        "channels/sms.py",
        "People are asked by SMS, by Twilio",
        "from channels.sms import sms",
        'channels=[sms(agent="bot")]',
        install="'twelvefold[sms]'",
        settings=("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_NUMBER", "TWILIO_WEBHOOK_URL"),
        then=('App(..., directory=Directory(addresses={"anna": {"sms": "+4915112345678"}}))',),
    ),
    "webhook": Piece(
        "channels/webhook.py",
        "A system of yours is asked, and answers",
        "from channels.webhook import webhook",
        'channels=[webhook(agent="bot")]',
        install="'twelvefold[webhook]'",
        settings=("WEBHOOK_SECRET", "WEBHOOK_URL"),
        then=('App(..., directory=Directory(addresses={"anna": {"webhook": "anna"}}))',),
    ),
    "cron": Piece(
        "cron.py",
        "Threads begin by a schedule",
        "from cron import schedules",
        'schedules=schedules(agent="bot")',
        install="'twelvefold[cron]'",
        then=("twelvefold worker launches what is due, twelvefold doctor names the next slots",),
    ),
    "judge": Piece(
        "judge.py",
        "A model judges threads, several times each",
        "from judge import judged",
        then=(
            'asyncio.run(judged(app.models["default"], app.thread(...))).share >= 0.9, in a test',
        ),
    ),
    "cache": Piece(
        "cache.py",
        "A request that was made before costs nothing",
        "from cache import cached",
        "model=cached(YOUR_MODEL)",
    ),
    "otel": Piece(
        "otel.py",
        "Traces by OpenTelemetry",
        "from otel import tracing",
        'observers=[tracing(default="openai")]',
        install="'twelvefold[otel]' opentelemetry-sdk",
        then=("OTEL_TRACES_EXPORTER is console until you set another one",),
    ),
    "mcp": Piece(
        "servers.py",
        "Tools of MCP servers as steps",
        "from servers import tools",
        install="'twelvefold[mcp]'",
        settings=("MCP_URL",),
        then=(
            "Agent(..., tools.steps | YOUR_STEPS) and AskModel(..., tools.steps | YOUR_STEPS)",
            "case McpStep() as step: return tools.run(step), in decide",
            "twelvefold mcp accept, once you have looked at what it shows",
        ),
    ),
}


def planned(found: Piece, root: Path) -> list[Change]:
    """What adding it would change below `root`. Raises `AlreadyThere` for what is no text file."""
    return changes(root, {found.path: found.text})
