"""What else the suite expects of a server: tools, prompts and resources added to the gateway's."""

import asyncio
import base64
import os
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp_types import (
    AudioContent,
    CallToolResult,
    Completion,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from profile_asking import add_asking

PNG = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
        "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
    )
).decode()
WAV = base64.b64encode(
    b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0"
    b"data\2\0\0\0\x80\x80"
).decode()
RETRY_MS = 100
PAUSE_S = 0.05


class Kept(EventStore):
    """What streams of older clients are resumed from, by the process that they came from."""

    def __init__(self) -> None:
        self._events: list[tuple[str, Any]] = []

    async def store_event(self, stream_id: str, message: Any) -> str:
        self._events.append((stream_id, message))
        return self._id(len(self._events))

    async def replay_events_after(
        self, last_event_id: str, send_callback: EventCallback
    ) -> str | None:
        ids = [self._id(number) for number in range(1, len(self._events) + 1)]
        if last_event_id not in ids:
            return None
        seen = ids.index(last_event_id)
        stream = self._events[seen][0]
        for id, (stream_id, message) in list(zip(ids, self._events, strict=True))[seen + 1 :]:
            if stream_id == stream and message is not None:
                await send_callback(EventMessage(message, id))
        return stream

    def _id(self, number: int) -> str:
        return f"{os.getpid()}-{number}"


EVENTS = Kept()


def add_fixtures(server: MCPServer[Any]) -> None:
    _add_contents(server)
    _add_reports(server)
    _add_changes(server)
    _add_resources(server)
    _add_prompts(server)
    _add_older(server)
    add_asking(server)


def text(said: str) -> TextContent:
    return TextContent(type="text", text=said)


def image() -> ImageContent:
    return ImageContent(type="image", data=PNG, mime_type="image/png")


def resource(uri: str, said: str, mime_type: str) -> EmbeddedResource:
    held = TextResourceContents(uri=uri, text=said, mime_type=mime_type)
    return EmbeddedResource(type="resource", resource=held)


def _add_contents(server: MCPServer[Any]) -> None:
    """Tools whose results are of each kind."""
    tool = server.tool(structured_output=False)

    @tool
    def greet(name: str) -> str:
        """Greets at once."""
        return f"Hello, {name}!"

    @tool
    def test_simple_text() -> str:
        """A text."""
        return "This is a simple text response for testing."

    @tool
    def test_image_content() -> list[ImageContent]:
        """An image."""
        return [image()]

    @tool
    def test_audio_content() -> list[AudioContent]:
        """A sound."""
        return [AudioContent(type="audio", data=WAV, mime_type="audio/wav")]

    @tool
    def test_embedded_resource() -> list[EmbeddedResource]:
        """A resource."""
        return [resource("test://embedded-resource", "embedded", "text/plain")]

    @tool
    def test_multiple_content_types() -> list[Any]:
        """One of several kinds."""
        held = resource("test://mixed-content-resource", '{"test": "data"}', "application/json")
        return [text("Multiple content types test:"), image(), held]

    @tool
    def test_error_handling() -> CallToolResult:
        """An error."""
        return CallToolResult(content=[text("This tool returns an error.")], is_error=True)


def _add_reports(server: MCPServer[Any]) -> None:
    """Tools that say something while they run."""
    tool = server.tool(structured_output=False)

    @tool
    async def test_tool_with_logging(ctx: Context) -> str:
        """Writes to the log."""
        for line in ("started", "processing data", "completed"):
            await ctx.info(f"Tool execution {line}")
            await asyncio.sleep(PAUSE_S)
        return "logged"

    @tool
    async def test_logging_tool(ctx: Context) -> str:
        """Writes to the log of whoever wants it."""
        await ctx.info("a line")
        return "logged"

    @tool
    async def test_tool_with_progress(ctx: Context) -> str:
        """Says how far it is."""
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100, f"Completed step {done} of 100")
            await asyncio.sleep(PAUSE_S)
        return "done"


def _add_changes(server: MCPServer[Any]) -> None:
    """Tools that end their stream, or tell of changes."""
    tool = server.tool(structured_output=False)

    @tool
    async def test_reconnection(ctx: Context) -> str:
        """Closes its stream meanwhile."""
        await ctx.close_sse_stream()
        await asyncio.sleep(2 * PAUSE_S)
        return "Reconnection test completed"

    @tool
    async def test_trigger_tool_change(ctx: Context) -> str:
        """Says that the tools changed."""
        await ctx.notify_tools_changed()
        return "changed"

    @tool
    async def test_trigger_prompt_change(ctx: Context) -> str:
        """Says that the prompts changed."""
        await ctx.notify_prompts_changed()
        return "changed"


def _add_resources(server: MCPServer[Any]) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:
        return "Watched resource content"

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:
        return f'{{"id": "{id}", "templateTest": true, "data": "Data for ID: {id}"}}'


def _add_prompts(server: MCPServer[Any]) -> None:
    @server.prompt()
    def test_simple_prompt() -> str:
        """Takes nothing."""
        return "This is a simple prompt for testing."

    @server.prompt()
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        """Takes two."""
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt()
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:
        """Holds a resource."""
        held = resource(resourceUri, "Embedded resource content for testing.", "text/plain")
        return [UserMessage(content=held), UserMessage(content=text("Please process it."))]

    @server.prompt()
    def test_prompt_with_image() -> list[UserMessage]:
        """Holds an image."""
        return [UserMessage(content=image()), UserMessage(content=text("Please analyze it."))]


def _add_older(server: MCPServer[Any]) -> None:
    """What only clients of 2025-11-25 call, and completion, which every one may."""

    @server.completion()
    async def complete(ref: Any, argument: Any, context: Any) -> Completion:
        return Completion(values=["one"], total=1, has_more=False)

    async def done(ctx: Any, params: Any) -> EmptyResult:
        return EmptyResult()

    low = server._lowlevel_server  # its methods of 2025 have no other place
    low.add_request_handler("resources/subscribe", SubscribeRequestParams, done)
    low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, done)
    low.add_request_handler("logging/setLevel", SetLevelRequestParams, done)
