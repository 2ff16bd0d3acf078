"""What a call cost, filled in from the price list of `genai-prices`. The list is part of that
package: nothing is asked over a network.

A model without a price keeps no cost: that is said once in the log, and a limit of cost then counts
nothing for it.
"""

import logging
from dataclasses import replace
from importlib.util import find_spec

from twelvefold.exceptions import ConfigurationError
from twelvefold.messages import Model, ModelReply, ModelRequest, Usage

log = logging.getLogger("twelvefold")


def priced(model: Model, *, name: str | None = None, provider: str | None = None) -> "Priced":
    """`model`, with `usage.cost` in each reply that has none.

    `name`: as the list calls the model, where its server calls it otherwise. `provider`: whose list
    ("openai", "openrouter", ...) where several sell it. Raises `ConfigurationError` without the
    extra.
    """
    if find_spec("genai_prices") is None:
        raise ConfigurationError("priced(...) needs its extra: pip install 'twelvefold[prices]'")
    return Priced(model, name, provider)


class Priced:
    """See `priced`."""

    def __init__(self, model: Model, name: str | None, provider: str | None) -> None:
        self.model, self.name, self.provider = model, name, provider
        self.offline = getattr(model, "offline", False)
        if (body := getattr(model, "body", None)) is not None:
            self.body = body
        self._said: set[str] = set()

    async def __call__(self, request: ModelRequest) -> ModelReply:
        reply = await self.model(request)
        if reply.usage.cost or reply.usage == Usage():
            return reply
        cost = self._cost(reply)
        return reply if cost is None else replace(reply, usage=replace(reply.usage, cost=cost))

    def _cost(self, reply: ModelReply) -> float | None:
        """US dollars; None where the list has no such model."""
        from genai_prices import Usage as Tokens  # a list of megabytes: when it is needed
        from genai_prices import calc_price

        used, name = reply.usage, self.name or reply.model
        tokens = Tokens(
            input_tokens=used.input,
            cache_read_tokens=used.cache_read,
            cache_write_tokens=used.cache_write,
            output_tokens=used.output,
        )
        try:
            price = calc_price(tokens, name, provider_id=self.provider).total_price
        except (LookupError, ValueError) as error:
            if name not in self._said:
                self._said.add(name)
                log.warning("no price is known for the model %r: %s", name, error)
            return None
        return float(price)
