"""Costs from the list of prices: filled in where they are known, and then limits of cost count."""

import logging
import sys

import pytest

from models.openai_replies import says
from models.server import Vendor
from small import Done, Look
from twelvefold import Agent, App, AskModel, Effect, Limits, Settle, State, Thread, Wait
from twelvefold.exceptions import ConfigurationError
from twelvefold.messages import ModelReply, ModelRequest, Usage, message
from twelvefold.models.openai import OpenAIModel
from twelvefold.models.priced import priced
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio

ASKED = ModelRequest((message("user", "hi"),))


def replies(model: str, usage: Usage, text: str = "{}"):
    async def call(request: ModelRequest) -> ModelReply:
        return ModelReply(text, usage=usage, model=model)

    return call


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(input=1_000_000), 1.25),
        (Usage(output=1_000_000), 10.0),
        (Usage(input=1_000_000, cache_read=1_000_000), 0.125),
        (Usage(input=1_000_000, output=1_000_000, reasoning=900_000), 11.25),
    ],
)
async def test_tokens_become_dollars(usage: Usage, dollars: float):
    reply = await priced(replies("gpt-5", usage))(ASKED)

    assert reply.usage.cost == pytest.approx(dollars)
    assert reply.usage.input == usage.input


async def test_a_cost_that_is_known_is_kept():
    reply = await priced(replies("gpt-5", Usage(input=1000, cost=7.0)))(ASKED)

    assert reply.usage.cost == 7.0


@pytest.mark.parametrize("name", ["gpt-of-nobody-7", ""])
async def test_a_model_without_a_price_keeps_none_and_is_said_once(
    name: str, caplog: pytest.LogCaptureFixture
):
    model = priced(replies(name, Usage(input=10)))
    with caplog.at_level(logging.WARNING, "twelvefold"):
        both = [await model(ASKED), await model(ASKED)]

    assert [reply.usage.cost for reply in both] == [0.0, 0.0]
    assert "cost" not in both[0].usage.to_data()
    assert [r.getMessage().split(":")[0] for r in caplog.records] == [
        f"no price is known for the model {name!r}"
    ]


async def test_the_seller_may_be_named():
    usage = Usage(input=1_000_000)
    by = {name: priced(replies("gpt-5", usage), provider=name) for name in ("openai", "nobody")}

    assert (await by["openai"](ASKED)).usage.cost == pytest.approx(1.25)
    assert (await by["nobody"](ASKED)).usage.cost == 0.0


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'twelvefold\[prices\]'"):
        priced(replies("gpt-5", Usage()))


async def test_a_reply_through_the_real_sdk_has_its_price(vendor: Vendor):
    vendor.will(says("hi"))
    model = OpenAIModel("gpt-5", base_url=vendor.url, api_key="k")
    unknown, named = await priced(model)(ASKED), await priced(model, name="gpt-5")(ASKED)

    assert (unknown.model, unknown.usage.cost) == ("gpt-test-2026", 0.0)
    # 36 tokens read anew, 64 from the cache, 30 written, the thought ones among them
    assert named.usage.cost == pytest.approx((36 * 1.25 + 64 * 0.125 + 30 * 10) / 1e6)


async def test_a_limit_of_cost_stops_the_next_call():
    def decide(thread: Thread, state: State[Look | Done]) -> Effect[Look | Done]:
        if state.ready:
            return Settle(state.ready[0].step)
        return Wait() if state.waiting else AskModel("go", Look | Done)

    usage = Usage(input=100_000)  # 12.5 cents each
    model = priced(replies("gpt-5", usage, '{"intent":"look","what":"x"}'))
    agent = Agent("bot", decide, Look | Done, owner="anna", limits=Limits(cost=0.3))
    app = App([agent], store=MemoryStore(), model=model)
    await app.launch("bot", "go", thread_id="t1")
    await app.run(until_idle=True)

    events = app.thread("t1").events
    assert sum(event.type == "next_step_chosen" for event in events) == 3
    reached = events[-1].data
    assert (reached["limit"], reached["allowed"]) == ("cost", 0.3)
    assert reached["used"] == pytest.approx(0.375)
