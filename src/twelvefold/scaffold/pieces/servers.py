"""Tools of another server as steps of an agent, by the Model Context Protocol.

This file is yours: `twelvefold add mcp` wrote it once. A model is offered nothing that is not named
in ALLOWED, and nothing that a person has not looked at: `twelvefold mcp list` shows what there is,
`twelvefold mcp accept` pins it in mcp.lock.json, which belongs beside this file in your repository.
What has changed since then is not called. (Not `mcp.py`: that would hide the package of this name.)

- MCP_URL: where the server is: `https://...`, or a port of this machine
"""

import os
from pathlib import Path

from twelvefold.exceptions import ConfigurationError
from twelvefold.mcp.client import Allowed, Http, McpServer, McpTools

# risk is yours to say: the server's own word counts for nothing. retry_safe: a call that was cut
# off may be made again.
ALLOWED = [Allowed("search", risk="low", retry_safe=True)]


def _server() -> McpServer:
    """At a URL; a program on this machine is `Stdio("command", ["argument"])` in its place."""
    url = os.environ.get("MCP_URL")
    if not url:
        raise ConfigurationError("servers.py needs MCP_URL: set it in the environment.")
    return McpServer("other", Http(url), ALLOWED)


tools = McpTools(_server(), lock=Path(__file__).with_name("mcp.lock.json"))
