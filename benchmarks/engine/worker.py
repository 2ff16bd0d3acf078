"""One worker: `python -m benchmarks.engine.worker URL CALLS LATENCY_S STALL_S`.

For the first model call of a thread it appends a line to the file CALLS: its process, the thread
and the time, by the machine's monotonic clock, which all processes here share. Threads whose names
begin with HELD never get an answer of the model.
"""

import asyncio
import gc
import os
import signal
import sys
import time

from benchmarks import work
from benchmarks.agents import Bench, InstantModel
from twelvefold.messages import ModelReply, ModelRequest
from twelvefold.stores.postgres import PostgresStore

HELD = "held"
FOREVER_S = 3600.0


class NotingModel(InstantModel):
    """Notes who is called first, and when."""

    def __init__(self, calls: str, *, latency_s: float) -> None:
        super().__init__(work.STEPS, latency_s=latency_s)
        self._file = os.open(calls, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def __call__(self, request: ModelRequest) -> ModelReply:
        if request.turn == 1:
            line = f"{os.getpid()} {request.thread_id} {time.perf_counter()}\n"
            os.write(self._file, line.encode())
        if request.thread_id.startswith(HELD):
            await asyncio.sleep(FOREVER_S)
        return await super().__call__(request)


def main(url: str, calls: str, latency_s: str, stall_s: str) -> None:
    model = NotingModel(calls, latency_s=float(latency_s))
    bench = Bench(PostgresStore(url), model=model, engine="procrastinate")
    asyncio.run(_work(bench, float(stall_s)))
    bench.app.close()


async def _work(bench: Bench, stall_s: float) -> None:
    engine = bench.app.new_engine(stall_s=stall_s)
    gc.freeze()  # as `twelvefold worker` does
    gc.set_threshold(work.YOUNG_MAX)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, engine.stop)
    await engine.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
