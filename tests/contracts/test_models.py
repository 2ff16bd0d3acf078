"""Every model under the contract of all models: vendors', the fakes of them, and compositions."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.model import *  # noqa: F403
from contracts.model import ASKED, STEP
from models import anthropic_replies, gemini_replies, openai_replies
from models.server import Vendor, failed
from twelvefold.messages import Model, ModelReply
from twelvefold.models.anthropic import AnthropicModel
from twelvefold.models.composed import fallback, round_robin
from twelvefold.models.gemini import GeminiModel
from twelvefold.models.human import human
from twelvefold.models.openai import OpenAIModel
from twelvefold.models.priced import priced
from twelvefold.models.recorded import recorded
from twelvefold.models.scripted import ScriptedModel
from twelvefold.thread import Json, to_text

pytestmark = pytest.mark.anyio

VENDORS: dict[str, tuple[Callable[..., Any], Any]] = {
    "openai": (OpenAIModel, openai_replies),
    "anthropic": (AnthropicModel, anthropic_replies),
    "gemini": (GeminiModel, gemini_replies),
}
MODES = ("native", "tool", "prompt", "streamed")
REAL = [f"{vendor} {mode}" for vendor in VENDORS for mode in MODES]
OURS = ["scripted", "human", "fallback", "round_robin", "recorded", "priced", "function"]


class Served:
    """A vendor's model with the real SDK, and its server."""

    def __init__(self, vendor: Vendor, name: str, mode: str) -> None:
        make, self.replies = VENDORS[name]
        self.vendor, self.mode = vendor, mode
        shown = {"on_partial": lambda *args: None} if mode == "streamed" else {"mode": mode}
        self.model: Model = make("a-model", base_url=vendor.url, **shown)

    def says(self, step: Json) -> None:
        text = to_text(step)
        if self.mode == "streamed":
            self.vendor.will(self.replies.streams(text))
        elif self.mode == "tool":
            ours = self.replies is openai_replies
            self.vendor.will(self.replies.calls(text if ours else step))
        else:
            self.vendor.will(self.replies.says(text))


class Local:
    """A model without a server: `make` takes a function that says the step."""

    def __init__(self, make: Callable[[Callable[[], Json]], Model]) -> None:
        self._step: Json = None
        self.model = make(lambda: self._step)

    def says(self, step: Json) -> None:
        self._step = step


def plain(step: Callable[[], Json]) -> Model:
    async def model(_: Any) -> ModelReply:
        return ModelReply(to_text(step()), model="mine")

    return model


def scripted(step: Callable[[], Json]) -> Model:
    return ScriptedModel(lambda _: step())


def typed(step: Callable[[], Json]) -> Model:
    def read(prompt: str) -> str:
        """The value of the field that the prompt names."""
        if prompt.startswith("step"):
            return step()["intent"]
        value = step()[prompt.split()[0]]
        return value if isinstance(value, str) else to_text(value)

    return human(read=read, say=lambda _: None)


def made(name: str, vendor: Vendor, folder: Path) -> Local:
    match name:
        case "scripted":
            return Local(scripted)
        case "human":
            return Local(typed)
        case "fallback":
            return Local(lambda step: fallback(plain(step), scripted(step)))
        case "round_robin":
            return Local(lambda step: round_robin(plain(step), scripted(step)))
        case "recorded":
            return Local(lambda step: recorded(folder / "r.jsonl", plain(step), mode="auto"))
        case "priced":
            return Local(lambda step: priced(plain(step), name="gpt-5"))
        case _:
            return Local(plain)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    yield vendor
    vendor.close()


@pytest.fixture(params=[*REAL, *OURS])
def subject(request: pytest.FixtureRequest, vendor: Vendor, tmp_path: Path) -> Served | Local:
    name, _, mode = request.param.partition(" ")
    return Served(vendor, name, mode) if mode else made(name, vendor, tmp_path)


async def test_a_fallback_keeps_the_contract_when_its_first_model_is_out(vendor: Vendor):
    out = OpenAIModel("a-model", base_url=vendor.url, tries_max=1)
    subject = Local(lambda step: fallback(out, scripted(step)))
    vendor.will(failed(503))
    subject.says(STEP)
    reply = await subject.model(ASKED)

    assert (reply.finish, len(reply.attempts)) == ("end", 1)
