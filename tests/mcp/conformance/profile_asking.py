"""Tools that ask the client's person: back through a channel (2025-11-25), or in the answer."""

from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

NAME = {"name": {"type": "string"}}
OK = {"ok": {"type": "boolean"}}
FRANCE = "What is the capital of France?"

DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
OPTIONS = [{"const": f"value{n}", "title": f"Choice {n}"} for n in (1, 2, 3)]
ENUMS = {
    "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
    "titledSingle": {"type": "string", "oneOf": OPTIONS},
    "legacyEnum": {
        "type": "string",
        "enum": ["opt1", "opt2", "opt3"],
        "enumNames": ["Option One", "Option Two", "Option Three"],
    },
    "untitledMulti": {
        "type": "array",
        "items": {"type": "string", "enum": ["option1", "option2", "option3"]},
    },
    "titledMulti": {"type": "array", "items": {"anyOf": OPTIONS}},
}


def form(message: str, properties: dict[str, Any]) -> ElicitRequest:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def sampling(question: str) -> CreateMessageRequest:
    asked = SamplingMessage(role="user", content=TextContent(type="text", text=question))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[asked], max_tokens=100))


def add_asking(server: MCPServer[Any]) -> None:
    _add_by_channel(server)
    _add_in_the_answer(server)
    _add_able(server)
    _add_rounds(server)
    _add_two_rounds(server)
    _add_prompt(server)


def _add_by_channel(server: MCPServer[Any]) -> None:
    tool = server.tool(structured_output=False)

    async def asked(ctx: Context, message: str, properties: dict[str, Any]) -> str:
        schema = {"type": "object", "properties": properties, "required": []}
        found = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)
        return f"Elicitation completed: action={found.action}, content={found.content}"

    @tool
    async def test_sampling(prompt: str, ctx: Context) -> str:
        """Asks the client's model."""
        messages = sampling(prompt).params.messages
        found = await ctx.session.create_message(
            messages, max_tokens=100, related_request_id=ctx.request_id
        )
        return f"LLM response: {found.content}"

    @tool
    async def test_elicitation(message: str, ctx: Context) -> str:
        """Asks a person."""
        return await asked(ctx, message, {"response": {"type": "string"}})

    @tool
    async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
        """Proposes answers."""
        return await asked(ctx, "Who are you?", DEFAULTS)

    @tool
    async def test_elicitation_sep1330_enums(ctx: Context) -> str:
        """Has choices."""
        return await asked(ctx, "Which ones?", ENUMS)


def once(ctx: Context, key: str, request: Any) -> Any:
    if key in (ctx.input_responses or {}):
        return f"{key}: {ctx.input_responses[key]}"
    return InputRequiredResult(input_requests={key: request})


def _add_in_the_answer(server: MCPServer[Any]) -> None:
    tool = server.tool(structured_output=False)

    @tool
    async def test_input_required_result_elicitation(ctx: Context) -> Any:
        """Asks a person."""
        return once(ctx, "user_name", form("What is your name?", NAME))

    @tool
    async def test_input_required_result_sampling(ctx: Context) -> Any:
        """Asks a model."""
        return once(ctx, "capital_question", sampling(FRANCE))

    @tool
    async def test_input_required_result_list_roots(ctx: Context) -> Any:
        """Asks for roots."""
        return once(ctx, "client_roots", ListRootsRequest())


def _add_able(server: MCPServer[Any]) -> None:
    """Tools that look at what the client can do."""
    tool = server.tool(structured_output=False)

    @tool
    async def test_input_required_result_capabilities(ctx: Context) -> Any:
        """Asks for what the client can give."""
        able = ctx.client_capabilities
        asks: dict[str, Any] = {}
        if able and able.sampling is not None:
            asks["capital_question"] = sampling(FRANCE)
        if able and able.elicitation is not None:
            asks["user_name"] = form("What is your name?", NAME)
        return "nothing to ask" if ctx.input_responses or not asks else _asks(asks)

    @tool
    async def test_missing_capability(ctx: Context) -> str:
        """Needs the client's model."""
        able = ctx.client_capabilities
        if able is None or able.sampling is None:
            needs = {"requiredCapabilities": {"sampling": {}}}
            raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "sampling is needed", needs)
        return "has it"

    @tool
    async def test_streaming_elicitation(ctx: Context) -> Any:
        """Reports, then asks."""
        if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            await ctx.report_progress(1, 2, "asking")
        return once(ctx, "user_name", form("What is your name?", NAME))


def _asks(requests: dict[str, Any], state: str | None = None) -> InputRequiredResult:
    return InputRequiredResult(input_requests=requests, request_state=state)


def _add_rounds(server: MCPServer[Any]) -> None:
    """Tools whose state goes to the client and comes back; the gateway seals it."""
    tool = server.tool(structured_output=False)

    async def confirmed(ctx: Context) -> Any:
        if ctx.request_state == "begun" and ctx.input_responses:
            return "state-ok"
        return _asks({"confirm": form("Please confirm", OK)}, "begun")

    @tool
    async def test_input_required_result_request_state(ctx: Context) -> Any:
        """Asks with a state."""
        return await confirmed(ctx)

    @tool
    async def test_input_required_result_tampered_state(ctx: Context) -> Any:
        """Asks with a state that nobody may change."""
        return await confirmed(ctx)

    @tool
    async def test_input_required_result_multiple_inputs(ctx: Context) -> Any:
        """Asks for three things."""
        asks = {
            "user_name": form("What is your name?", NAME),
            "greeting": sampling("Say hello"),
            "client_roots": ListRootsRequest(),
        }
        answered = set(asks) <= set(ctx.input_responses or {})
        return "all there" if answered and ctx.request_state else _asks(asks, "three")


def _add_two_rounds(server: MCPServer[Any]) -> None:
    tool = server.tool(structured_output=False)

    @tool
    async def test_input_required_result_multi_round(ctx: Context) -> Any:
        """Asks twice."""
        match ctx.request_state:
            case "one" if "step1" in (ctx.input_responses or {}):
                colour = form("Step 2: Which colour?", {"color": {"type": "string"}})
                return _asks({"step2": colour}, "two")
            case "two" if "step2" in (ctx.input_responses or {}):
                return "both rounds done"
            case _:
                return _asks({"step1": form("Step 1: What is your name?", NAME)}, "one")


def _add_prompt(server: MCPServer[Any]) -> None:
    @server.prompt()
    def test_input_required_result_prompt(ctx: Context) -> Any:
        """Asks first."""
        if ctx.input_responses:
            return f"Context: {ctx.input_responses}"
        return _asks({"user_context": form("Which context?", {"context": {"type": "string"}})})
