"""The tools of other servers as steps: listed by the user, pinned in a file that the user owns.

`McpTools` is the whole of it. What a model and a person see of a tool comes from the lock file; a
server is asked when a step runs, and whether it still says the same is looked at each time.
"""

from twelvefold.mcp.client.comparing import Change
from twelvefold.mcp.client.remotes import CALL_KEY, Allowed, Http, McpServer, Question, Stdio
from twelvefold.mcp.client.stepping import McpStep
from twelvefold.mcp.client.tools import McpTools

__all__ = [
    "CALL_KEY",
    "Allowed",
    "Change",
    "Http",
    "McpServer",
    "McpStep",
    "McpTools",
    "Question",
    "Stdio",
]
