"""What the crew may do: look things up freely, and change things when people say yes."""

from typing import ClassVar, Literal

from twelvefold import Step
from twelvefold.intents import DoneForNow, NothingToDo, RequestHumanInput


class FindCustomer(Step):
    intent: Literal["find_customer"] = "find_customer"
    email: str


class ListInvoices(Step):
    intent: Literal["list_invoices"] = "list_invoices"
    customer: str


class CreatePaymentLink(Step):
    risk: ClassVar = "medium"
    intent: Literal["create_payment_link"] = "create_payment_link"
    invoice: str
    amount_cents: int
    currency: str


class SendInvoice(Step):
    risk: ClassVar = "medium"
    intent: Literal["send_invoice"] = "send_invoice"
    invoice: str


class PayInvoice(Step):
    """Charge the card that the customer left with us."""

    risk: ClassVar = "high"
    intent: Literal["pay_invoice"] = "pay_invoice"
    invoice: str
    amount_cents: int
    currency: str


class Reply(Step):
    risk: ClassVar = "medium"
    intent: Literal["reply"] = "reply"
    to: str
    subject: str
    body: str


Reads = FindCustomer | ListInvoices
Writes = CreatePaymentLink | SendInvoice | PayInvoice | Reply
AnyStep = Reads | Writes | RequestHumanInput | DoneForNow | NothingToDo
