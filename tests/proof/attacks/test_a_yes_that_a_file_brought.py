"""A log from a file says that anna approved: nothing runs by it, and no audit takes it for hers."""

import asyncio

from victims import Place, Victim, holds

from crew import Pay
from twelvefold.audit import decisions


def test_what_a_file_says_of_anna_is_not_told_as_her_decision(place: Place) -> None:
    victim = Victim(place, Pay(to="ann")).begin()
    victim.answer("approve", by="anna")
    forged = victim.app.thread("t").to_jsonl().replace('"ann"', '"eve"')

    asyncio.run(victim.app.import_thread(forged, new_id="copy"))
    asyncio.run(victim.app.fork("t", 3, new_id="fork"))
    victim.go_on()

    victim.expect({"to": "ann"})
    rows = list(decisions(place.store.said()))
    of_eve = [(row.what, row.origin) for row in rows if row.args == {"to": "eve"}]
    told = [(what, "imported from t") for what in ("asked", "answered", "closed")]
    holds(of_eve == told, f"the audit says {of_eve}")
    assert [row.origin for row in rows if row.thread == "fork"] == ["forked from t", ""]
    assert {row.origin for row in rows if row.thread == "t"} == {""}
