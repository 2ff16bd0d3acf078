"""The world outside, one half: a payments API in a SQLite file, with the answers of Stripe's.

Statuses, `error.type`, `code`, `decline_code` and `param` are those of docs.stripe.com/api/errors
and docs.stripe.com/error-codes. Keys are treated as docs.stripe.com/api/idempotent_requests says:
the first answer to a key is kept and given again, a refusal too; other parameters under the same
key are an `idempotency_error`; what was wrong before anything began is not kept.
"""

import hashlib
import json
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOCK_TIMEOUT_S = 5.0
SCHEMA = """
create table if not exists requests (what text not null, key text not null);
create table if not exists answers (key text primary key, request text, status int, body text);
create table if not exists effects (what text not null, object text not null, key text not null);
"""
CUSTOMERS = {
    "cus_ada": {"email": "ada@example.com", "name": "Ada", "declines": ""},
    "cus_bob": {"email": "bob@example.com", "name": "Bob", "declines": "insufficient_funds"},
}
INVOICES: Mapping[str, Mapping[str, Any]] = {
    "in_1001": {"customer": "cus_ada", "amount_due": 12_000, "status": "open"},
    "in_1002": {"customer": "cus_bob", "amount_due": 45_000, "status": "open"},
    "in_1003": {"customer": "cus_ada", "amount_due": 9_900, "status": "paid"},
}

Body = dict[str, Any]
Answer = tuple[int, Body]


class Billing:
    """`request` is the HTTP of it. `busy`: how many requests are told to come back later."""

    def __init__(self, path: Path, *, busy: int = 0) -> None:
        self.path, self.busy = path, busy

    def request(
        self, method: str, path: str, params: Mapping[str, Any], *, key: str = ""
    ) -> Answer:
        if self.busy > 0:
            self.busy -= 1
            return error(429, "rate_limit", "Too many requests hit the API too quickly.")
        parts = path.removeprefix("/v1/").split("/")
        with self._open() as db:
            if method == "GET":
                return self._read(db, parts[0], params)
            db.execute("insert into requests values (?, ?)", (f"{method} {path}", key))
        asked = json.dumps([method, path, dict(params)])
        with self._open() as db:
            return self._kept(db, key, asked) or self._first(db, parts, params, key, asked)

    def effects(self) -> dict[str, int]:
        """What has happened to what, and how often."""
        with self._open() as db:
            rows = db.execute("select what || ' ' || object, count(*) from effects group by 1")
            return dict(rows.fetchall())

    def _read(self, db: sqlite3.Connection, kind: str, params: Mapping[str, Any]) -> Answer:
        if kind == "customers":
            found = [customer(id) for id in CUSTOMERS if customer(id)["email"] == params["email"]]
        elif params["customer"] not in CUSTOMERS:
            return missing("customer", params["customer"])
        else:
            of = [id for id, kept in INVOICES.items() if kept["customer"] == params["customer"]]
            found = [invoice(db, id) for id in of]
        return 200, {"object": "list", "url": f"/v1/{kind}", "has_more": False, "data": found}

    def _kept(self, db: sqlite3.Connection, key: str, asked: str) -> Answer | None:
        row = db.execute("select request, status, body from answers where key = ?", (key,))
        if (kept := row.fetchone()) is None:
            return None
        if kept[0] != asked:
            said = f"This key was first used with other parameters; use one other than '{key}'."
            return error(400, None, said, type="idempotency_error")
        return kept[1], json.loads(kept[2])

    def _first(
        self,
        db: sqlite3.Connection,
        parts: list[str],
        params: Mapping[str, Any],
        key: str,
        asked: str,
    ) -> Answer:
        match parts:
            case ["payment_links"]:
                answer = self._link(db, params, key)
            case ["invoices", id, _] if id not in INVOICES:
                return missing("invoice", id)
            case ["invoices", id, "send"]:
                db.execute("insert into effects values ('send', ?, ?)", (id, key))
                answer = 200, invoice(db, id)
            case ["invoices", id, _]:
                answer = self._pay(db, id, key)
            case _:
                return error(404, None, f"Unrecognized request URL (POST: /v1/{'/'.join(parts)}).")
        kept = (key, asked, answer[0], json.dumps(answer[1]))
        db.execute("insert into answers values (?, ?, ?, ?)", kept)
        return answer

    def _link(self, db: sqlite3.Connection, params: Mapping[str, Any], key: str) -> Answer:
        id = "plink_" + hashlib.sha256(key.encode()).hexdigest()[:8]
        about = params["metadata"]["invoice"]
        db.execute("insert into effects values ('link', ?, ?)", (about, key))
        url = f"https://pay.example/{id}"
        return 200, {"id": id, "object": "payment_link", "active": True, "url": url, **params}

    def _pay(self, db: sqlite3.Connection, id: str, key: str) -> Answer:
        if invoice(db, id)["status"] == "paid":
            return error(400, None, "Invoice is already paid")
        if why := CUSTOMERS[INVOICES[id]["customer"]]["declines"]:
            said = "Your card has insufficient funds."
            return error(402, "card_declined", said, type="card_error", decline_code=why)
        db.execute("insert into effects values ('pay', ?, ?)", (id, key))
        return 200, invoice(db, id)

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """One transaction, durable when it ends."""
        db = sqlite3.connect(self.path, timeout=LOCK_TIMEOUT_S)
        try:
            db.executescript(SCHEMA)
            with db:
                yield db
        finally:
            db.close()


def customer(id: str) -> Body:
    kept = CUSTOMERS[id]
    return {"id": id, "object": "customer", "email": kept["email"], "name": kept["name"]}


def invoice(db: sqlite3.Connection, id: str) -> Body:
    kept = INVOICES[id]
    paid = db.execute("select 1 from effects where what = 'pay' and object = ?", (id,)).fetchone()
    email = CUSTOMERS[kept["customer"]]["email"]
    body = {"id": id, "object": "invoice", **kept, "currency": "eur", "customer_email": email}
    return body | ({"status": "paid"} if paid else {})


def missing(what: str, id: str) -> Answer:
    return error(404, "resource_missing", f"No such {what}: '{id}'", param=what)


def error(status: int, code: str | None, message: str, **more: str) -> Answer:
    body: Body = {"type": "invalid_request_error", "message": message, **more}
    return status, {"error": body if code is None else {"code": code, **body}}
