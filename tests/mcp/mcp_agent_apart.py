"""An agent in a process of its own, with a log in a file: `python mcp_agent_apart.py FOLDER`.

It calls the tool that hangs after its effect. Killed and started again, it finds what the log says.
"""

import asyncio
import sys
from pathlib import Path

from mcp_apart import caller, tools_of, write

from twelvefold import App
from twelvefold.mcp.client import Allowed
from twelvefold.stores import open_store


async def main(folder: Path, how: str, retry_safe: bool) -> None:
    allowed = Allowed("write", retry_safe=retry_safe, timeout_s=600)
    tools = tools_of(folder, allow=[allowed])
    store = open_store(str(folder / "threads.db"))
    app = App([caller(tools, write(tools, how="hang"))], store=store)
    if how == "first":
        await app.launch("caller", "go", thread_id="t")
    await app.run(until_idle=True)
    await tools.close()
    print([event.type for event in app.thread("t").events])  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "safe"))
