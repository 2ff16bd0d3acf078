"""A stand-in for the model: reads the rendered thread, as a model would, and replies by rules."""

import re
from typing import Any

from twelvefold import Step
from twelvefold.context import parse
from twelvefold.intents import DoneForNow, InputOptions, NothingToDo, RequestHumanInput
from twelvefold.messages import ModelRequest

from steps import CreatePaymentLink, FindCustomer, ListInvoices, PayInvoice, Reply, SendInvoice

CLAIMED = re.compile(r"cus_\w+")
NUMBER = re.compile(r"in_\d+")


def script(request: ModelRequest) -> Step:
    views = parse(request.messages[-1].text.strip() + "\n")
    written = [n for n, (tag, _) in enumerate(views) if tag.endswith("_message")]
    at = max(n for n in written if views[n][0] != "colleague_message")
    mail = views[at][1]
    if isinstance(mail, str) or "Body" not in mail:
        return DoneForNow(message="I answer mails only.")
    if re.search("unsubscribe|thank", mail["Body"], re.I):
        return NothingToDo(reason="It asks for nothing.")
    return next_of(mail, [one for one in views[at + 1 :] if not is_withdrawn(*one)])


def is_withdrawn(tag: str, body: Any) -> bool:
    """Taken back by a message, which says more."""
    return tag == "human_response" and body["decision"] == "withdrawn"


def next_of(mail: dict[str, Any], since: list[tuple[str, Any]]) -> Step:
    """`since`: what has happened after the mail."""
    happened = dict(since)
    if since and since[-1][0] == "colleague_message":
        return asked_back(mail, since[-1][1]["Body"])
    claimed = CLAIMED.search(mail["Body"])
    if "find_customer_result" not in happened:
        if claimed and "error" not in happened:
            return ListInvoices(customer=claimed[0])
        return FindCustomer(email=mail["From"])
    if "reply_result" in happened:
        return DoneForNow(message=f"{mail['From']} has an answer.")
    tag, last = since[-1]
    if tag == "error" and last.get("intent") == "reply":
        return RequestHumanInput(question="The mail was refused.", context=last["error"])
    if tag == "human_response" and last.get("answer") is not True:
        return after(last, mail)
    if not (found := happened["find_customer_result"]):
        return RequestHumanInput(question=f"Who is {mail['From']}?", context=mail["Body"])
    if "list_invoices_result" not in happened:
        return ListInvoices(customer=found[0]["id"])
    return bill(mail, happened)


def asked_back(mail: dict[str, Any], words: str) -> Step:
    """A colleague has written in place of deciding."""
    if "address" not in words:
        return RequestHumanInput(question="What should I write?", context=words)
    question = f"Their address is {mail['From']}. Shall I go on?"
    return RequestHumanInput(question=question, options=InputOptions(format="yes_no"))


def after(said: dict[str, Any], mail: dict[str, Any]) -> Step:
    """What people said: an answer is passed on, so is the comment of a denied mail."""
    if said.get("answer") is False:
        return DoneForNow(message=f"{mail['From']} is left to you.")
    if said["decision"] == "answered":
        return reply(mail, said["answer"])
    if said["intent"] == "reply" and said["decision"] == "denied":
        return reply(mail, said["comment"])
    return reply(mail, "We look into it and come back to you.")


def bill(mail: dict[str, Any], happened: dict[str, Any]) -> Step:
    named = NUMBER.search(mail["Body"])
    due = [one for one in happened["list_invoices_result"] if named and one["id"] == named[0]]
    if not due:
        return reply(mail, "You have no such invoice with us.")
    invoice = due[0]
    id, cents, currency = invoice["id"], invoice["amount_due"], invoice["currency"]
    declined = happened.get("error", {}).get("intent") == "pay_invoice"
    if url := happened.get("create_payment_link_result"):
        return reply(mail, f"Please pay {id} here: {url}")
    if "pay_invoice_result" in happened:
        return reply(mail, f"{id} is paid now.")
    if "send_invoice_result" in happened:
        return reply(mail, f"We have sent {id} again.")
    if "charge" in mail["Body"] and not declined:
        return PayInvoice(invoice=id, amount_cents=cents, currency=currency)
    if declined or "pay" in mail["Body"]:
        return CreatePaymentLink(invoice=id, amount_cents=cents, currency=currency)
    return SendInvoice(invoice=id)


def reply(mail: dict[str, Any], body: str) -> Reply:
    return Reply(to=mail["From"], subject=f"Re: {mail['Subject']}", body=body)
