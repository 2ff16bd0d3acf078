"""The client that the conformance suite starts: our own, for whatever its server offers.

    conformance client --command "$PYTHON tests/mcp/conformance/client.py" --requirements 2025-11-25
    conformance client --command "$PYTHON tests/mcp/conformance/client.py" --requirements 2026-07-28

The suite appends the URL of its server, and says the scenario and the version in the environment.
All that is offered is accepted into a lock file of its own; then an agent calls each tool once, by
`McpTools`, in an `App`: connection, pins, steps, arguments and results are those of the library.
What the suite expects to fail (a server that must not be trusted) fails here with a line and ends
with 1.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

from twelvefold import Agent, App, Choose, Effect, Finish, State, Step, Thread, Wait
from twelvefold.exceptions import TwelvefoldError
from twelvefold.guard import Rules
from twelvefold.mcp.client import Http, McpServer, McpStep, McpTools, Question
from twelvefold.testing import MemoryStore

HERE = Rules(frozenset({"http", "https"}), frozenset(range(1, 65536)), ("127.0.0.0/8", "::1/128"))
REDIRECT = "http://localhost:3030/callback"
CLIENT_ID_URL = "https://conformance-test.local/client-metadata.json"
EXAMPLES: Mapping[str, Any] = {"integer": 5, "number": 5, "boolean": True, "array": []}


class Done(Step):
    intent: Literal["done"] = "done"


class Kept:
    """What OAuth keeps, for one run."""

    def __init__(self, client: OAuthClientInformationFull | None) -> None:
        self.client, self.tokens = client, None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Browser:
    """Somebody who signs in and says yes: the authorization server sends them back at once."""

    def __init__(self) -> None:
        self._back = ""

    async def visit(self, url: str) -> None:
        async with httpx2.AsyncClient(trust_env=False) as browser:
            reply = await browser.get(url, follow_redirects=False)
        self._back = reply.headers["location"]

    async def returned(self) -> AuthorizationCodeResult:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self._back).query).items()}
        return AuthorizationCodeResult(
            code=query["code"], state=query.get("state"), iss=query.get("iss")
        )


def signing_in(scenario: str, url: str, context: Mapping[str, Any]) -> OAuthClientProvider:
    known = None
    if scenario == "auth/client-credentials-basic":
        secret = context["client_secret"]
        return ClientCredentialsOAuthProvider(url, Kept(None), context["client_id"], secret)
    if scenario == "auth/client-credentials-jwt":
        signed = SignedJWTParameters(
            issuer=context["client_id"],
            subject=context["client_id"],
            signing_algorithm=context["signing_algorithm"],
            signing_key=context["private_key_pem"],
        )
        prove = signed.create_assertion_provider()
        return PrivateKeyJWTOAuthProvider(url, Kept(None), context["client_id"], prove)
    if "client_id" in context:
        known = OAuthClientInformationFull(
            client_id=context["client_id"],
            client_secret=context.get("client_secret"),
            redirect_uris=[REDIRECT],  # pyright: ignore
            token_endpoint_auth_method="client_secret_basic",
        )
    browser = Browser()
    return OAuthClientProvider(
        url,
        OAuthClientMetadata(client_name="twelvefold", redirect_uris=[REDIRECT]),  # pyright: ignore
        Kept(known),
        browser.visit,
        browser.returned,
        client_metadata_url=CLIENT_ID_URL,
    )


async def yes(question: Question) -> Mapping[str, Any]:
    """With the defaults, and a yes where there is none."""
    fields = question.schema.get("properties", {})
    return {
        name: EXAMPLES.get(one["type"], "x") for name, one in fields.items() if "default" not in one
    }


def planned(tools: McpTools, context: Mapping[str, Any]) -> list[McpStep]:
    """The calls that the suite asks for; else each tool once, with what it cannot do without."""
    if echo := tools.by_name.get("it.json_schema_echo"):
        other = tools.by_name["it.json_schema_2020_12_tool"]
        return [echo(schema=dict(other.origin.pin.input_schema))]
    if wanted := context.get("toolCalls"):
        return [tools.by_name[f"it.{one['name']}"](**one["arguments"]) for one in wanted]
    return [kind(**arguments(kind)) for kind in tools.by_name.values()]


def arguments(kind: type[McpStep]) -> dict[str, Any]:
    schema = kind.model_json_schema()
    fields = schema["properties"]
    return {name: example(fields[name]) for name in schema.get("required", [])}


def example(node: Mapping[str, Any]) -> Any:
    return node["enum"][0] if "enum" in node else EXAMPLES.get(node.get("type", ""), "x")


def agent(tools: McpTools, plan: Sequence[McpStep]) -> Agent[Any, Any]:
    def decide(thread: Thread, state: State[Any]) -> Effect[Any]:
        if state.ready:
            return tools.run(state.ready[0].step, ungated="the suite is no real system")
        chosen = sum(len(state.all(kind)) for kind in tools.by_name.values())
        if chosen < len(plan):
            return Choose(plan[chosen])
        return Wait() if state.finished else Finish("all called")

    return Agent("conformance", decide, tools.steps | Done, owner="suite")


async def main(url: str, environ: Mapping[str, str]) -> int:
    context = json.loads(environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    version = environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION", "2025-11-25")
    scenario = environ["MCP_CONFORMANCE_SCENARIO"]
    auth = signing_in(scenario, url, context) if scenario.startswith("auth/") else None
    at = Http(url, auth=auth, rules=HERE)

    def reached(*names: str) -> McpTools:
        protocol = "2025-11-25" if version == "2025-11-25" else "auto"
        server = McpServer("it", at, names, answers=yes, protocol=protocol)
        return McpTools(server, lock=lock)

    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "mcp.lock.json"
        names = [str(tool["name"]) for tool in (await reached().offered())["it"]]
        tools = reached(*names)
        if not names:
            return 0
        tools.accept(*await tools.check())
        plan = planned(tools, context)
        app = App([agent(tools, plan)], store=MemoryStore())
        try:
            thread = await app.launch("conformance", "call them")
            await app.run(until_idle=True)
        finally:
            await tools.close()
        events = app.thread(thread).events
        for event in events:
            print(event.type, json.dumps(event.data)[:500], file=sys.stderr)  # noqa: T201
        returned = sum(event.type == "tool_returned" for event in events)
        return 0 if events[-1].type == "finished" and returned == len(plan) else 1


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(sys.argv[-1], os.environ)))
    except TwelvefoldError as error:
        sys.exit(f"{type(error).__name__}: {error}")
