"""What the steps do: the payments API honours keys; the mail server does not, but can be asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from billing import Billing
from post import Post, Refused
from steps import CreatePaymentLink, FindCustomer, ListInvoices, PayInvoice, Reply, SendInvoice

from twelvefold import Call, NothingHappened
from twelvefold.failures import is_transient

UNDECIDED = frozenset({409, 500, 502, 503, 504})
BUSY = UNDECIDED | {429}


@dataclass(frozen=True)
class World:
    """What the tools reach."""

    billing: Billing
    post: Post


class ApiError(Exception):
    """What the API refused, in the few words that a model needs."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        why = [error.get("code") or error["type"], error.get("decline_code")]
        super().__init__(f"{status} {' '.join(filter(None, why))}: {error['message']}")
        self.status = status


def passes(error: BaseException) -> bool:
    """Whether trying once more, with the same key, may help."""
    return error.status in BUSY if isinstance(error, ApiError) else is_transient(error)


def find(step: FindCustomer | ListInvoices, call: Call[World]) -> object:
    match step:
        case FindCustomer(email=email):
            return asked(call, "GET", "customers", email=email)["data"]
        case ListInvoices(customer=customer):
            return asked(call, "GET", "invoices", customer=customer)["data"]


def create_payment_link(step: CreatePaymentLink, call: Call[World]) -> str:
    about = {"amount": step.amount_cents, "currency": step.currency}
    return asked(call, "POST", "payment_links", **about, metadata={"invoice": step.invoice})["url"]


def send_invoice(step: SendInvoice, call: Call[World]) -> str:
    return asked(call, "POST", f"invoices/{step.invoice}/send")["status"]


def pay_invoice(step: PayInvoice, call: Call[World]) -> str:
    """Asked again with the same key it says what became of the charge, so it is its own reconcile.

    Only a refusal is a failure. When no answer comes nobody knows: that must not read like "not
    paid", or the customer is asked to pay twice.
    """
    try:
        return asked(call, "POST", f"invoices/{step.invoice}/pay")["status"]
    except ApiError as error:
        if error.status in UNDECIDED:
            raise
        raise NothingHappened(str(error)) from error


def replying(references: Sequence[str]) -> Callable[[Reply, Call[World]], str]:
    """The tool that answers in the conversation of these mails."""

    def reply(step: Reply, call: Call[World]) -> str:
        about = {"to": step.to, "subject": step.subject, "body": step.body}
        try:
            call.deps.post.send(message_id(call), **about, references=" ".join(references))
        except Refused as error:
            raise NothingHappened(str(error)) from error
        return "sent"

    return reply


def was_sent(step: Reply, call: Call[World]) -> str:
    """Asked after a `reply` that was cut off."""
    if call.deps.post.is_sent(message_id(call)):
        return "sent"
    raise NothingHappened("the folder of sent mails does not have it")


def message_id(call: Call[World]) -> str:
    return f"<{call.key.replace('/', '.')}@crew.example.com>"


def asked(call: Call[World], method: str, path: str, **params: Any) -> dict[str, Any]:
    status, body = call.deps.billing.request(method, f"/v1/{path}", params, key=call.key)
    if status >= 400:
        raise ApiError(status, body["error"])
    return body
