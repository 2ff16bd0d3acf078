"""`Mcp-Name` names the task: what routes by the header and what acts on the body agree.

The SDK compares the header for calls of tools, prompts and resources; SEP-2663 asks the same of
`tasks/*`, where it names `params.taskId`.
"""

from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp_types import HEADER_MISMATCH

from twelvefold.mcp.clients import Context, is_modern, request_of

TASK_METHODS = frozenset({"tasks/get", "tasks/update", "tasks/cancel"})


async def expect_task_name(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Raises `MCPError` (400) where the header is missing or says another task."""
    request = request_of(ctx)
    if ctx.method in TASK_METHODS and request is not None and is_modern(ctx):
        task_id = (ctx.params or {}).get("taskId")
        if decode_header_value(request.headers.get(MCP_NAME_HEADER)) != task_id:
            raise MCPError(
                code=HEADER_MISMATCH,
                message=f"{MCP_NAME_HEADER} header does not match the request body's 'taskId'",
            )
    return await call_next(ctx)
