"""The channel: what goes to Slack's API, and what its requests are answered with."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from twelvefold.channels.slack.blocks import ended, message, modal
from twelvefold.channels.slack.reading import read
from twelvefold.deliveries import Delivery
from twelvefold.exceptions import ConfigurationError
from twelvefold.inbound import Decided, Ignored, Inbound, Receipt, Received, Reply
from twelvefold.signatures import expect_fresh, expect_one, header, signed
from twelvefold.thread import DEFAULT_TENANT, Json, to_text

SIGNATURE, TIME = "x-slack-signature", "x-slack-request-timestamp"
VERSION = "v0"
API = "https://slack.com/api/"
TIMEOUT_S = 10
REPLY_TIMEOUT_S = 2
"""Slack gives an interaction three seconds; what is durable need not wait for more."""


class Slack:
    """An address is a user `U...`, a channel `C...`, or a conversation `C...:<ts>` in one.

    - `token`: `xoxb-...`, with `chat:write`; `signing_secret`: of the app.
    - `agent`: whose threads a mention or a direct message begins; "" begins none.
    - `teams`: the workspaces that are listened to; empty is each that Slack signs for.
    """

    updates = True

    def __init__(
        self,
        *,
        token: str,
        signing_secret: str,
        agent: str = "",
        teams: Collection[str] = (),
        name: str = "slack",
        tenant: str = DEFAULT_TENANT,
        api: str = API,
    ) -> None:
        self.name, self.agent, self.tenant = name, agent, tenant
        self._token, self._secret = token, signing_secret.encode()
        self._teams, self._api = frozenset(teams), api

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        """The channel and ts of the message. Raises what Slack's SDK raises."""
        if delivery.closing is not None:
            text, blocks = ended(delivery, delivery.closing)
            said = delivery.closing.said
            where = {"channel": said["channel"], "ts": said["ts"]}
            await self._call("chat_update", **where, text=text, blocks=blocks)
            return {}
        text, blocks = message(delivery, now=datetime.now(UTC))
        channel, _, thread = delivery.recipient.to.partition(":")
        sent = await self._call(
            "chat_postMessage",
            channel=channel,
            thread_ts=thread or None,
            text=text,
            blocks=blocks,
            unfurl_links=False,
            unfurl_media=False,
        )
        return {"channel": sent["channel"], "ts": sent["ts"]}

    def read(self, inbound: Inbound, /, *, now: datetime) -> Received:
        """Raises `BadSignature` and `InvalidRequest`."""
        at = header(inbound, TIME)
        base = f"{VERSION}:{at}:".encode() + inbound.body
        expected = f"{VERSION}={signed(self._secret, base).hex()}"
        expect_one([header(inbound, SIGNATURE)], expected, header=SIGNATURE)
        expect_fresh(at, now)
        return read(inbound, teams=self._teams)

    async def reply(self, received: Received, receipt: Receipt, /) -> Reply:
        """A challenge is given back, a form is opened, and who was refused is told so alone."""
        if isinstance(received, Ignored):
            return await self._ignored(received.then)
        if isinstance(received, Decided) and receipt.outcome == "refused":
            return await self._refused(received.then, receipt.said)
        return Reply()

    async def _ignored(self, then: Mapping[str, Json]) -> Reply:
        if "challenge" in then:
            return Reply(str(then["challenge"]).encode())
        if "opens" in then:
            view = modal(str(then["opens"]), cast("dict[str, Json]", then["about"]))
            trigger = then["trigger"]
            await self._call("views_open", REPLY_TIMEOUT_S, trigger_id=trigger, view=view)
        return Reply()

    async def _refused(self, then: Mapping[str, Json], said: str) -> Reply:
        if then.get("form"):
            answer = {"response_action": "errors", "errors": {"said": said[:2000]}}
            return Reply(to_text(answer).encode(), "application/json")
        if then.get("channel"):
            await self._call(
                "chat_postEphemeral",
                REPLY_TIMEOUT_S,
                channel=then["channel"],
                user=then["user"],
                text=said,
                parse="none",
            )
        return Reply()

    async def _call(self, method: str, timeout_s: int = TIMEOUT_S, **given: Any) -> Any:
        """In a thread of its own: the SDK's other client needs another HTTP library."""
        client = _sdk().WebClient(token=self._token, base_url=self._api, timeout=timeout_s)
        return await asyncio.to_thread(getattr(client, method), **given)


def _sdk() -> Any:
    try:
        import slack_sdk
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "The Slack channel needs its SDK. Run: pip install 'twelvefold[slack]'"
        ) from error
    return slack_sdk
