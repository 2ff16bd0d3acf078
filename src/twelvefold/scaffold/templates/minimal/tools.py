"""What the agent can do. A tool is a step, which a model fills in, and a function of yours."""

from pathlib import Path
from typing import ClassVar, Literal

from twelvefold import Call, Step


class Send(Step):
    risk: ClassVar = "medium"  # above "low": nothing runs without a yes to exactly this
    intent: Literal["send"] = "send"
    to: str
    text: str


class Outbox:
    """Stands in for your mail provider: a folder with a file per message.

    A key names one message: the same key again, after a crash, writes the same file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, to: str, text: str, *, key: str) -> None:
        self.folder.mkdir(exist_ok=True)
        file = self.folder / f"{key.replace('/', '.')}.eml"
        file.write_text(f"To: {to}\n\n{text}\n", encoding="utf-8")

    def sent(self) -> list[str]:
        """To whom, in the order of keys."""
        files = sorted(self.folder.glob("*.eml"))
        return [file.read_text(encoding="utf-8").split("\n")[0][4:] for file in files]


def send(step: Send, call: Call[Outbox]) -> str:
    call.deps.put(step.to, step.text, key=call.key)
    return f"sent to {step.to}"
