"""Files that a model reads: named in the request, their bytes filled in when it is sent."""

import hashlib
from base64 import b64encode
from typing import Any

import pytest

from crew import Look, settle, status
from models import anthropic_replies
from models.server import Vendor
from small import Done
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.attachments import Attachment
from twelvefold.call import Call
from twelvefold.effects import AskModel, Choose, Finish, Wait, run
from twelvefold.exceptions import ConfigurationError
from twelvefold.messages import FilePart, Message, ModelRequest, Part
from twelvefold.models.anthropic import AnthropicModel
from twelvefold.models.gemini import GeminiModel
from twelvefold.models.human import human
from twelvefold.models.openai import OpenAIModel
from twelvefold.prompts.written import written
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio

PNG, PDF = b"\x89PNG not really", b"%PDF not really"


def part(content: bytes, media_type: str, name: str, *, cache: bool = False) -> FilePart:
    sha256 = hashlib.sha256(content).hexdigest()
    return FilePart(sha256=sha256, media_type=media_type, name=name, cache=cache)


IMAGE = part(PNG, "image/png", "shot.png")
BILL = part(PDF, "application/pdf", "bill.pdf", cache=True)
ASKED = ModelRequest((Message("user", (Part("What is this?"), IMAGE, BILL)),))


def with_bytes(request: ModelRequest = ASKED) -> ModelRequest:
    kept = {hashlib.sha256(content).hexdigest(): content for content in (PNG, PDF)}
    return request.with_contents(kept.__getitem__)


def content_of(model: Any) -> list[Any]:
    body = model.body(with_bytes())
    [message] = body.get("messages") or body["contents"]
    return message.get("content") or message["parts"]


def test_openai_reads_images_and_files():
    text, image, bill = content_of(OpenAIModel("m"))

    assert text == {"type": "text", "text": "What is this?"}
    assert image["image_url"]["url"] == "data:image/png;base64," + b64encode(PNG).decode()
    assert bill["file"] == {
        "filename": "bill.pdf",
        "file_data": "data:application/pdf;base64," + b64encode(PDF).decode(),
    }


def test_anthropic_reads_images_and_documents_and_keeps_their_cache_mark():
    _, image, bill = content_of(AnthropicModel("m"))

    assert (image["type"], image["source"]["media_type"]) == ("image", "image/png")
    assert (bill["type"], bill["cache_control"]) == ("document", {"type": "ephemeral"})
    assert bill["source"]["data"] == b64encode(PDF).decode()


def test_gemini_reads_files_inline():
    _, image, _ = content_of(GeminiModel("m"))

    assert image == {"inlineData": {"mimeType": "image/png", "data": b64encode(PNG).decode()}}


@pytest.mark.parametrize("make", [OpenAIModel, AnthropicModel, GeminiModel])
def test_a_request_without_the_bytes_cannot_be_sent(make: Any):
    with pytest.raises(ConfigurationError, match=r"'shot\.png'"):
        make("m").body(ASKED)


def test_the_hash_names_the_file_and_not_the_bytes_filled_in():
    other = ModelRequest((Message("user", (Part("What is this?"), IMAGE)),))

    assert with_bytes().hash() == ASKED.hash() != other.hash()


def test_a_request_without_files_stays_itself():
    request = ModelRequest((Message("user", (Part("hi"),)),))

    assert with_bytes(request) is request


def test_a_file_is_seen_where_a_request_is_shown():
    assert '\\ file ["shot.png","image/png",' in written(ASKED)


async def test_a_person_is_told_of_files():
    said: list[str] = []
    await human(read=lambda _: "ok", say=said.append)(ASKED)

    assert "[shot.png, image/png]" in said


async def test_a_model_reads_what_a_tool_attached(vendor: Vendor):
    def look(_: Look, call: Call[None]) -> Attachment:
        return call.attach(PNG, "image/png")

    def decide(_: Any, state: Any) -> Any:
        for chosen in state.ready:
            done = isinstance(chosen.step, Done)
            return Finish("ok", chosen.step) if done else run(look, chosen.step)
        if state.waiting or state.finished:
            return Wait()
        if (seen := state.last(Look)) is None:
            return Choose(Look())
        shot = seen.result_as(Attachment)
        file = FilePart(sha256=shot.sha256, media_type=shot.media_type, name="shot.png")
        return AskModel([Message("user", (Part("What is this?"), file))], Done)

    vendor.will(anthropic_replies.says('{"intent":"done_for_now","message":"a cat"}'))
    model = AnthropicModel("m", base_url=vendor.url)
    app = App([Agent("crew", decide, Look | Done, owner="olga")], store=MemoryStore(), model=model)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert status(app) == "finished"
    [_, image] = vendor.bodies[0]["messages"][0]["content"]
    assert image["source"]["data"] == b64encode(PNG).decode()
