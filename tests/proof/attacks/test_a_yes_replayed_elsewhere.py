"""A yes that is copied along: to a fork, an import, another thread or another tenant."""

import asyncio

from victims import Place, Victim, holds, quiet

from crew import Pay
from twelvefold.store import Append
from twelvefold.thread import Draft


def approved_but_not_run(place: Place) -> Victim:
    victim = Victim(place, Pay(to="ann")).begin()
    asyncio.run(victim.app.answer("t.s1.1", "approve", by="anna"))
    return victim


def test_a_fork_of_an_approved_thread_asks_anew(place: Place) -> None:
    victim = approved_but_not_run(place)

    asyncio.run(victim.app.fork("t", new_id="f"))
    victim.go_on()

    victim.expect({"to": "ann"})
    assert [row.id for row in victim.inbox("f")] == ["s1.2"]


def test_a_fork_of_a_thread_that_ran_does_not_run_again(place: Place) -> None:
    victim = approved_but_not_run(place)
    victim.go_on()

    for at in range(1, victim.app.thread("t").head + 1):
        quiet(victim.app.fork("t", at, new_id=f"f{at}"))
    victim.go_on()

    victim.expect({"to": "ann"})


def test_a_copy_under_the_same_name_for_another_tenant_asks_anew(place: Place) -> None:
    victim = approved_but_not_run(place)

    text = victim.app.thread("t").to_jsonl()
    asyncio.run(victim.app.import_thread(text, tenant="other"))
    victim.go_on()

    victim.expect({"to": "ann"})
    assert [row.id for row in victim.app.inbox(tenant="other")] == ["s1.2"]


def test_an_import_under_another_name_asks_anew(place: Place) -> None:
    victim = approved_but_not_run(place)

    text = victim.app.thread("t").to_jsonl()
    asyncio.run(victim.app.import_thread(text, new_id="copy"))
    victim.go_on()

    victim.expect({"to": "ann"})


def test_the_facts_of_a_yes_do_not_hold_in_another_thread(place: Place) -> None:
    """Even written into its log, as whoever has the store could: the digest names the thread."""
    victim = approved_but_not_run(place)
    asyncio.run(victim.app.launch("bot", "go", thread_id="u"))
    victim.go_on()

    votes = [e for e in victim.app.thread("t").events if e.type.startswith("contact_")][1:]
    drafts = [Draft(e.type, e.data, e.at, key=e.key) for e in votes]
    asyncio.run(place.store.commit(Append("u", drafts, wake=True)))
    victim.go_on()

    victim.expect({"to": "ann"})
    assert [row.id for row in victim.inbox("u")] == ["s1.2"]


def test_a_question_that_is_copied_with_its_yes_does_not_hold_either(place: Place) -> None:
    victim = approved_but_not_run(place)
    asyncio.run(victim.app.launch("bot", "go", thread_id="u"))
    victim.go_on()

    said = [e for e in victim.app.thread("t").events if e.type.startswith("contact_")]
    drafts = [Draft(e.type, e.data | {"contact": "s1.2"}, e.at) for e in said]
    asyncio.run(place.store.commit(Append("u", drafts, wake=True)))
    victim.go_on()

    assert victim.events("contact_closed", "u")
    victim.expect({"to": "ann"})


def test_the_answer_of_one_tenant_does_not_reach_the_other(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"))
    for tenant in ("default", "other"):
        asyncio.run(victim.app.launch("bot", "go", thread_id="t", tenant=tenant))
    victim.go_on()

    asyncio.run(victim.app.answer("t.s1.1", "approve", by="anna", tenant="other"))
    victim.go_on()

    victim.expect({"to": "ann"})
    still = [row.id for row in victim.inbox()]
    holds(still == ["s1.1"], f"the tenant who said nothing is asked {still}")


def test_a_tenant_does_not_answer_for_another(place: Place) -> None:
    victim = Victim(place, Pay(to="ann")).begin()

    with Place(place.folder) as elsewhere:
        app = Victim(elsewhere, Pay(to="ann")).app
        quiet(app.answer("t.s1.1", "approve", by="anna", tenant="other"))
    victim.redeployed()

    victim.expect()
