"""A crew that answers mails about invoices: it reads freely, and writes what people approve."""

from datetime import timedelta
from pathlib import Path

from billing import Billing
from mail_channel import channels, post
from mails import is_proven, references, senders, shown
from script import script
from steps import AnyStep, CreatePaymentLink, FindCustomer, ListInvoices, PayInvoice, Reply
from steps import SendInvoice
from tools import (
    World,
    create_payment_link,
    find,
    passes,
    pay_invoice,
    replying,
    send_invoice,
    was_sent,
)

from twelvefold import Agent, App, Chosen, Prompt, ScriptedModel, State, Thread
from twelvefold import Approve, AskModel, Choose, Effect, Finish, Settle, Wait, run
from twelvefold.context import Renderer
from twelvefold.context.provenance import outside
from twelvefold.effects import escalate
from twelvefold.intents import DoneForNow, NothingToDo, RequestHumanInput, ask
from twelvefold.policy import at_least, role

HERE = Path(__file__).parent
Json = dict[str, object]
DAY = timedelta(hours=24)
OPS, LEAD = role("ops"), role("lead")
LATE = escalate(to=LEAD, within=DAY)
FAILURES_MAX = 3
OUTSIDE = outside(trusted=("api:*", "terminal:*"))  # our people; a mail is anybody's
next_step = Prompt(
    HERE / "next_step.md", context=Renderer({"message_received": shown}, source=OUTSIDE)
)


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep, World]:
    for chosen in state.ready:
        forbidden = why_not(chosen.step, thread, state)
        return carry_out(chosen, thread) if forbidden is None else Settle(chosen.step, forbidden)
    if state.waiting or state.finished:
        return Wait()
    if state.failures_in_a_row >= FAILURES_MAX:
        stuck = "The tools keep failing. What should I do?"
        return Choose(RequestHumanInput(question=stuck, context=state.last_failure))
    return AskModel(next_step(thread=thread), AnyStep)


def why_not(step: AnyStep, thread: Thread, state: State[AnyStep]) -> str | None:
    """What code forbids before any person is asked: no mail can talk the crew into it."""
    listed = [found.result_as(list[Json]) for found in state.all(ListInvoices) if found.result]
    known = {invoice["id"]: invoice for invoices in listed for invoice in invoices}
    match step:
        case Reply(to=to) if to not in senders(thread):
            return f"refused: mails go to who wrote, not to {to}"
        case CreatePaymentLink(invoice=id) | SendInvoice(invoice=id) | PayInvoice(invoice=id) if (
            known.get(id, {}).get("customer_email") not in senders(thread)
        ):
            return f"refused: {id} was not listed as an invoice of who wrote"
        case PayInvoice() if not is_proven(thread):
            return "refused: nothing proves who asks for this charge (their mail is not signed)"
        case (
            CreatePaymentLink(invoice=id, amount_cents=cents, currency=currency)
            | PayInvoice(invoice=id, amount_cents=cents, currency=currency)
        ) if (cents, currency) != (known[id]["amount_due"], known[id]["currency"]):
            return f"refused: {id} is over {known[id]['amount_due']} {known[id]['currency']}"
        case _:
            return None


def carry_out(chosen: Chosen[AnyStep], thread: Thread) -> Effect[AnyStep, World]:
    match chosen.step:
        case FindCustomer() | ListInvoices() as step:
            return run(find, step, retry_safe=True, attempts=3, transient=passes)
        case CreatePaymentLink() | SendInvoice() | Reply() as step if not chosen.approved:
            # Whoever wrote may write again meanwhile: then it is decided anew.
            return Approve(step, by=OPS, within=DAY, on_expiry=LATE, withdraw_on_message=True)
        case PayInvoice() as step if not chosen.approved:
            two = at_least(2, role("finance"))
            return Approve(step, by=two, within=DAY, on_expiry=LATE, withdraw_on_message=True)
        case CreatePaymentLink() as step:  # the API honours the key, so it may be tried again
            return run(create_payment_link, step, retry_safe=True, attempts=3, transient=passes)
        case SendInvoice() as step:
            return run(send_invoice, step, retry_safe=True, attempts=3, transient=passes)
        case PayInvoice() as step:
            return run(pay_invoice, step, reconcile=pay_invoice)
        case Reply() as step:  # the mail server does not: after a cut it is asked what it sent
            return run(replying(references(thread)), step, reconcile=was_sent)
        case RequestHumanInput() as step:
            return ask(step, to=OPS, within=DAY)
        case DoneForNow() as step:
            return Finish(step.message, step)
        case NothingToDo() as step:
            return Finish(step.reason, step)


world = World(Billing(HERE / "billing.db"), post(HERE / "post.db"))
app = App(
    [Agent("mailcrew", decide, AnyStep, deps=lambda tenant: world, owner=OPS)],
    model=ScriptedModel(script),
    directory=HERE / "people.yaml",
    channels=channels(),
    # At this machine's terminal anything; by a signed reply what is easily made good again.
    settles={"local": "high", "signed_in": "high", "email": "medium"},
)
