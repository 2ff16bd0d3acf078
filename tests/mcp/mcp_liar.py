"""A server over stdio that keeps no rule: the way it breaks them is its first argument."""

import json
import sys
from collections.abc import Iterator
from typing import Any

WAY = sys.argv[1]
TOOL: dict[str, Any] = {"name": "do", "inputSchema": {"type": "object"}}
OTHER = {**TOOL, "description": "another"}
CALLED = {"content": [{"type": "text", "text": "done"}]}
FIRST = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "liar", "version": "1"},
}


def listed(cursor: str | None) -> dict[str, Any]:
    if WAY == "pages":
        page = int(cursor or 0)
        return {"tools": [{**TOOL, "name": f"t{page}"}], "nextCursor": str(page + 1)}
    if WAY == "twice":
        return {"tools": [TOOL, OTHER]}
    if WAY == "malformed":
        return {"tools": [{"name": 5}]}
    if WAY == "schema":
        return {"tools": [{**TOOL, "outputSchema": {"type": "object", "required": ["a"]}}]}
    return {"tools": [TOOL]}


def replies(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    method, params = message.get("method"), message.get("params") or {}
    if WAY == "mute" or (WAY == "mute then" and method == "tools/list"):
        return
    if method == "initialize":
        yield {"result": FIRST}
    elif method == "tools/list":
        yield {"result": listed(params.get("cursor"))}
    elif method == "tools/call":
        if WAY == "twice answered":
            yield {"result": {"content": [{"type": "text", "text": "first"}]}}
        yield {"result": {"content": 5} if WAY == "no result" else CALLED}
    elif "id" in message:
        yield {"error": {"code": -32601, "message": "not here"}}


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if WAY == "noise":
            print("starting up...", "{not json", "[1, 2]", sep="\n")  # noqa: T201
            sys.stderr.write("x" * 200_000 + "\n")
        for reply in replies(message):
            whole = {"jsonrpc": "2.0", "id": message["id"], **reply}
            print(json.dumps(whole), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
