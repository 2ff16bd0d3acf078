"""Contacts over HTTP: what a person is shown, and what an answer may change."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from crew import (
    Clock,
    Ledger,
    Pay,
    Question,
    app_of,
    pipeline,
    settle,
)
from server.api_world import as_, visiting
from twelvefold.app import App
from twelvefold.effects import Approve, Ask, escalate, run
from twelvefold.forms import Option, json_answer
from twelvefold.state import Chosen
from twelvefold.stores.sqlite import SqliteStore

pytestmark = pytest.mark.anyio
V1 = "/v1/contacts"
FORM = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


class World:
    """A thread that waits for a yes to pay, or for an answer."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.ledger = Clock(), Ledger(folder / "paid.txt")
        steps = pipeline(carry_out=self.carry_out, name="crew")
        paying = pipeline(Pay(to="the baker"), carry_out=self.carry_out, name="payer")
        building = pipeline(Pay(to="the builder"), carry_out=self.carry_out, name="builder")
        asking = pipeline(Question(), carry_out=self.carry_out, name="asker")
        self.app: App = app_of(
            [steps, paying, building, asking],
            SqliteStore(folder / "api.db"),
            clock=self.clock,
            settles={"signed_in": "high"},
        )

    def carry_out(self, chosen: Chosen[Any]) -> Any:
        if isinstance(chosen.step, Question):
            return Ask(chosen.step, "How many?", to="anna", form=json_answer(FORM))
        if chosen.approved:
            return run(lambda step: self.ledger.note(step.to), chosen.step)
        hour = timedelta(hours=1)
        large = chosen.step.to == "the builder"
        return Approve(
            chosen.step,
            by=["anna", "ben"],
            within=hour,
            on_expiry=escalate(to="eve", within=hour) if large else "deny",
            options=[Option("spam", prompt_fill="No.")],
        )

    async def waiting(self, agent: str = "payer", *, text: str = "go", id: str = "t") -> str:
        await self.app.launch(agent, text, thread_id=id, sender="cleo")
        await settle(self.app)
        return f"{V1}/{id}.s1.1"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def digest_of(client: httpx.AsyncClient, url: str) -> str:
    return (await client.get(url)).json()["digest"]


async def approve(client: httpx.AsyncClient, url: str, **more: Any) -> httpx.Response:
    said = {"decision": "approve", "digest": await digest_of(client, url)}
    return await client.post(f"{url}/answer", json=said, **more)


async def test_a_contact_shows_all_that_a_person_needs(world: World):
    url = await world.waiting()
    await world.app.send("t", "hurry\u202e", sender="cleo")
    async with visiting(world.app) as client:
        contact = (await client.get(url)).json()

    assert contact["id"] == "t.s1.1"
    assert (contact["kind"], contact["intent"], contact["risk"]) == ("approval", "pay", "high")
    assert contact["args"] == {"to": "the baker"}
    assert contact["notice"]["args"] == [{"name": "to", "lines": ["the baker"]}]
    assert contact["notice"]["since"] == [{"seq": 4, "sender": "cleo", "text": '"hurry\\u202e"'}]
    assert contact["accepts"] == ["approve", "deny", "edit", "choose"]
    assert list(contact["edit_schema"]["properties"]) == ["to"]
    assert contact["asked_of"] == "anna or ben"
    assert contact["deadline"] == "2026-11-20T10:00:00.000000Z"
    assert contact["options"][0]["name"] == "spam"
    assert len(contact["digest"]) == 64
    assert contact["decided"] is None


async def test_a_yes_runs_the_step_once(world: World):
    url = await world.waiting()
    async with visiting(world.app) as client:
        answer = await approve(client, url)
        await settle(world.app)

    assert (answer.status_code, answer.json()["status"]) == (200, "closed")
    assert answer.json()["decided"]["by"] == "anna"
    assert world.ledger.effects == ["the baker"]


async def test_a_late_yes_is_told_who_decided_when_and_where(world: World):
    url = await world.waiting()
    async with visiting(world.app) as client:
        digest = await digest_of(client, url)
        await approve(client, url)
        world.clock.forward(timedelta(seconds=8))
        late = await client.post(
            f"{url}/answer",
            json={"decision": "approve", "digest": digest},
            headers=as_("ben"),
        )

    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (409, "already-decided")
    assert late.json()["decided"] == {
        "outcome": "approved",
        "by": "anna",
        "at": "2026-11-20T09:00:00.000000Z",
        "channel": "api",
    }
    assert "approved by anna, 8 s ago" in late.json()["detail"]


async def test_of_two_who_approve_in_one_instant_one_is_told_of_the_other(world: World):
    url = await world.waiting()
    async with visiting(world.app) as client:
        said = {"decision": "approve", "digest": await digest_of(client, url)}
        both = await asyncio.gather(
            *(client.post(f"{url}/answer", json=said, headers=as_(who)) for who in ("anna", "ben"))
        )
        await settle(world.app)

    yes, late = sorted(both, key=lambda answer: answer.status_code)
    assert (yes.status_code, late.status_code) == (200, 409)
    assert late.json()["decided"]["by"] == yes.json()["decided"]["by"]
    assert world.ledger.effects == ["the baker"]


async def test_a_message_or_a_delivery_that_arrives_meanwhile_lets_the_click_through(world: World):
    url = await world.waiting()
    async with visiting(world.app) as client:
        seen = await client.get(url)
        await world.app.send("t", "hurry", sender="cleo")
        await world.app.remind("t.s1.1")
        await world.app.link("t.s1.1", "anna")
        answer = await client.post(
            f"{url}/answer",
            json={"decision": "approve", "digest": seen.json()["digest"]},
            headers={"If-Match": seen.headers["etag"]},
        )

    assert answer.status_code == 200


async def test_a_contact_that_was_given_to_somebody_else_has_moved(world: World):
    url = await world.waiting()
    async with visiting(world.app) as client:
        seen = await client.get(url)
        await client.post(f"{url}/reassign", json={"to": "dora"}, headers=as_("ben"))
        answer = await client.post(
            f"{url}/answer",
            json={"decision": "approve", "digest": seen.json()["digest"]},
            headers={"If-Match": seen.headers["etag"]},
        )

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (412, "moved")
    assert world.app.inbox()[0].data["to"]["people"] == ["anna", "dora"]


async def test_those_who_come_next_are_asked_and_the_first_no_longer(world: World):
    url = await world.waiting("builder")
    async with visiting(world.app) as client:
        seen = await client.get(url)
        stranger = await client.post(f"{url}/escalate", headers=as_("eve"))
        robot = await client.post(f"{url}/escalate", headers=as_("robot"))
        moved = await client.post(f"{url}/escalate", json={"comment": "beyond me"})
        first = await client.post(f"{url}/escalate", headers=as_("ben"))
        again = await client.post(f"{url}/escalate", headers=as_("eve"))
        yes = {"decision": "approve", "digest": seen.json()["digest"]}
        early = await client.post(f"{url}/answer", json=yes)
        held = await client.post(
            f"{url}/answer", json=yes, headers=as_("eve") | {"If-Match": seen.headers["etag"]}
        )
        next = await client.post(f"{url}/answer", json=yes, headers=as_("eve"))

    refused = [a.status_code for a in (stranger, robot, first, again)]
    assert (moved.status_code, refused) == (200, [403, 403, 403, 409])
    assert (moved.json()["asked_of"], moved.json()["digest"]) == ("eve", seen.json()["digest"])
    assert (early.status_code, held.status_code, next.status_code) == (403, 412, 200)
    await settle(world.app)
    assert world.ledger.effects == ["the builder"]


async def test_an_answer_after_the_deadline_is_gone(world: World):
    url = await world.waiting()
    async with visiting(world.app) as client:
        digest = await digest_of(client, url)
        world.clock.forward(timedelta(hours=2))
        late = await client.post(f"{url}/answer", json={"decision": "approve", "digest": digest})
        shown = await client.get(url)
        await settle(world.app)  # now its timer is heard
        later = await client.post(f"{url}/answer", json={"decision": "approve", "digest": digest})

    assert shown.json()["status"] == "expired"
    assert (late.status_code, later.status_code) == (410, 410)
    assert late.json()["type"] == later.json()["type"]
    assert world.ledger.effects == []


@pytest.mark.parametrize(
    ("who", "said", "status", "type"),
    [
        ("anna", {"decision": "approve"}, 422, "invalid-answer"),
        ("anna", {"decision": "approve", "digest": "0" * 64}, 409, "conflict"),
        ("anna", {"decision": "deny"}, 422, "invalid-answer"),
        ("anna", {"decision": "deny", "comment": "  "}, 422, "invalid-answer"),
        ("anna", {"answer": "yes"}, 422, "invalid-answer"),
        ("anna", {"choice": "ham"}, 422, "invalid-answer"),
        ("anna", {"decision": "approve", "choice": "spam"}, 422, "invalid-answer"),
        ("anna", {}, 422, "invalid-answer"),
        ("anna", {"decision": "perhaps"}, 422, "invalid-request"),
        ("anna", {"decision": "deny", "comment": "no", "by": "ben"}, 422, "invalid-request"),
        ("eve", {"decision": "deny", "comment": "no"}, 403, "not-allowed"),
        ("robot", {"decision": "deny", "comment": "no"}, 403, "not-permitted"),
        ("reader", {"decision": "deny", "comment": "no"}, 403, "not-permitted"),
        ("nobody", {"decision": "deny", "comment": "no"}, 401, "not-signed-in"),
        ("stranger", {"decision": "deny", "comment": "no"}, 404, "not-found"),
    ],
)
async def test_an_answer_that_may_not_be_changes_nothing(
    who: str, said: dict[str, Any], status: int, type: str, world: World
):
    url = await world.waiting()
    async with visiting(world.app, who=who) as client:
        answer = await client.post(f"{url}/answer", json=said)

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (status, type)
    assert len(world.app.inbox()) == 1


async def test_a_denial_is_read_by_the_model_and_runs_nothing(world: World):
    url = await world.waiting()
    async with visiting(world.app) as client:
        said = {"decision": "deny", "comment": "the backend first"}
        answer = await client.post(f"{url}/answer", json=said)
        await settle(world.app)

    assert answer.json()["decided"]["outcome"] == "denied"
    assert world.ledger.effects == []


async def test_an_edit_runs_what_it_says(world: World):
    url = await world.waiting()
    async with visiting(world.app) as client:
        digest = await digest_of(client, url)
        wrong = await client.post(
            f"{url}/answer", json={"decision": "edit", "edits": {"tip": 5}, "digest": digest}
        )
        right = await client.post(
            f"{url}/answer", json={"decision": "edit", "edits": {"to": "ben"}, "digest": digest}
        )
        await settle(world.app)

    assert (wrong.status_code, wrong.json()["errors"]) == (422, {"tip": "no such argument"})
    assert right.json()["outcome"] == "edited"
    assert world.ledger.effects == ["ben"]


async def test_an_answer_of_the_wrong_form_is_told_by_field_and_the_right_one_is_taken(
    world: World,
):
    url = await world.waiting("asker")
    async with visiting(world.app) as client:
        form = (await client.get(url)).json()["form"]
        wrong = await client.post(f"{url}/answer", json={"answer": {"n": "two"}})
        right = await client.post(f"{url}/answer", json={"answer": {"n": 2}})

    assert form["schema"] == FORM
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["n"])
    assert (right.status_code, right.json()["outcome"]) == (200, "answered")


async def test_the_list_is_filtered_by_whom_it_asks_its_risk_and_whether_it_is_open(world: World):
    await world.waiting(id="a")
    await world.waiting("asker", id="b")
    ids: dict[str, list[str]] = {}
    async with visiting(world.app) as client:
        await approve(client, f"{V1}/a.s1.1")
        await world.waiting(id="c")
        for query in ("", "to=ben", "to=me", "risk=low", "status=closed", "status=all", "to=eve"):
            page = (await client.get(f"{V1}?{query}")).json()
            ids[query] = [contact["id"] for contact in page["data"]]

    assert ids == {
        "": ["c.s1.1", "b.s1.1"],
        "to=ben": ["c.s1.1"],
        "to=me": ["c.s1.1", "b.s1.1"],
        "risk=low": ["b.s1.1"],
        "status=closed": ["a.s1.1"],
        "status=all": ["a.s1.1", "c.s1.1", "b.s1.1"],
        "to=eve": [],
    }


async def test_pages_of_contacts_follow_each_other_though_some_are_answered(world: World):
    for number in range(5):
        await world.waiting(id=f"t{number}")
    seen: list[str] = []
    async with visiting(world.app) as client:
        cursor: str | None = ""
        while cursor is not None:
            more = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await client.get(V1, params=more)).json()
            seen += [contact["id"] for contact in page["data"]]
            cursor = page["next_cursor"]
            await approve(client, f"{V1}/{seen[-1]}")

    assert sorted(set(seen)) == [f"t{number}.s1.1" for number in range(5)]


@pytest.mark.parametrize("name", ["t", "t.s9.9", "t.s1", "x.s1.1", "...", "%00.s1.1"])
async def test_a_contact_that_is_not_there_is_not_found(name: str, world: World):
    await world.waiting()
    async with visiting(world.app) as client:
        answer = await client.get(f"{V1}/{name}")

    assert answer.status_code == 404
