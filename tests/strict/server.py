"""The strict server: three vendors' wires before one model that picks bytes at random.

What a request's schema allows is what comes back, nothing else; what a vendor's strict mode refuses
is refused with the vendor's own error. `faults.py` says what can go wrong instead.
"""

from collections import deque
from dataclasses import replace
from types import ModuleType

from strict import anthropic_wire, gemini_wire, openai_wire
from strict.asking import BYTES_PER_TOKEN, Asked, Refused, Said
from strict.faults import Fault
from strict.loopback import Loopback, Reply, Request
from strict.sampler import NoGrammar, Sampler

PLAIN = "Hello."
"""What the model says to a request without a schema, unless `obeys` or `says` names another."""


class StrictServer:
    """Everything that came and went is kept, in order.

    `requests`: the exact bytes; `asked`: what they ask for; `said`: the texts of the model;
    `refusals`: why requests were refused.
    """

    def __init__(self, seed: int = 0) -> None:
        self.requests: list[Request] = []
        self.asked: list[Asked] = []
        self.said: list[str] = []
        self.refusals: list[str] = []
        self.obeys: str | None = None
        """The schema of a model that does what a prompt says, where no schema is sent."""
        self._sampler = Sampler(seed)
        self._faults: deque[Fault | None] = deque()
        self._texts: deque[str] = deque()
        self._loopback = Loopback(self._answer)
        self.url = self._loopback.url

    @property
    def openai_url(self) -> str:
        return self.url + "/v1"

    def fails(self, *faults: Fault | None) -> None:
        """What goes wrong with the next requests; None lets one of them pass."""
        self._faults.extend(faults)

    def says(self, *texts: str) -> None:
        """The next texts of the model, whatever the schema is, instead of those named before."""
        self._texts = deque(texts)

    def forget(self) -> None:
        """Forget what came and went."""
        for kept in (self.requests, self.asked, self.said, self.refusals):
            kept.clear()

    def close(self) -> None:
        self._loopback.close()

    def _answer(self, request: Request) -> Reply:
        self.requests.append(request)
        wire = _wire(request.path)
        if wire is None:
            return Reply(404, (b'{"error": {"message": "no such path"}}',))
        fault = self._faults.popleft() if self._faults else None
        if fault is not None and fault.status is not None:
            body = wire.error(fault.status, fault.message)
            return Reply(fault.status, (body,), dict(fault.headers))
        try:
            asked = wire.read(request)
            said = self._said(asked, again=fault is not None)
        except Refused as error:
            self.refusals.append(error.message)
            body = wire.error(error.status, error.message, error.param, error.code)
            return Reply(error.status, (body,))
        if fault is None:
            return wire.reply(asked, said)
        return fault.spoil(wire.reply(asked, fault.change(said)))

    def _said(self, asked: Asked, *, again: bool) -> Said:
        """With `again`, the next reply says the same: this one will go wrong."""
        text = self._texts[0] if self._texts else self._sampled(asked.schema)
        if self._texts and not again:
            self._texts.popleft()
        self.asked.append(asked)
        self.said.append(text)
        most = (asked.tokens_max or len(text)) * BYTES_PER_TOKEN
        said = Said(text)
        return said if len(text) <= most else replace(said, text=text[:most], finish="truncated")

    def _sampled(self, schema: str | None) -> str:
        schema = schema or self.obeys
        if schema is None:
            return PLAIN
        try:
            return self._sampler.text(schema)
        except NoGrammar as error:
            raise Refused(f"The schema cannot be compiled: {error}") from error


def _wire(path: str) -> ModuleType | None:
    if gemini_wire.PATH.fullmatch(path):
        return gemini_wire
    return {openai_wire.PATH: openai_wire, anthropic_wire.PATH: anthropic_wire}.get(path)
