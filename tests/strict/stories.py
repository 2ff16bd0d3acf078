"""Whole runs of the examples, in which a vendor's SDK carries every word of the scripted model."""

import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from strict.server import StrictServer
from strict.vendors import Way
from twelvefold.messages import Model, ModelReply, ModelRequest
from twelvefold.testing import Scenario
from twelvefold.testing.child import work

sys.path.insert(0, str(Path(__file__).parents[1] / "proof"))

import people_scenarios
import scenarios

STORIES: dict[str, Any] = {
    "pipeline": scenarios.pipeline,
    "rollback": scenarios.rollback,
    "calculator": scenarios.calculator,
    "first_agent": scenarios.first_agent,
    "outer_loop": scenarios.outer_loop,
    "mailcrew": people_scenarios.mailcrew,
    "linear_triage": people_scenarios.linear_triage,
    "support_triage": people_scenarios.support_triage,
}


class Carried:
    """The script says what, the vendor's model carries it through its SDK and the server. `first`
    is said before it."""

    def __init__(
        self, script: Model, model: Any, server: StrictServer, first: Sequence[str] = ()
    ) -> None:
        self._script, self._model, self._server = script, model, server
        self._first = deque(first)
        self.requests: list[ModelRequest] = []

    async def __call__(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        said = (await self._script(request)).text
        wrapped = said if self._model.mode == "prompt" else f'{{"next_step":{said}}}'
        self._server.says(self._first.popleft() if self._first else wrapped)
        return await self._model(request)


@asynccontextmanager
async def told(
    name: str,
    folder: Path,
    way: Way,
    server: StrictServer,
    *,
    first: Sequence[str] = (),
    **options: Any,
) -> AsyncIterator[tuple[Scenario, Carried]]:
    """The story from launch to end, and the requests that were made on its way. `options` are the
    model's."""
    scenario = STORIES[name](folder, lambda _: None)
    models: Any = scenario.app.models
    [script] = models.values()
    carried = Carried(script, way.model(server, **options), server, first)
    models[next(iter(models))] = carried
    await work(scenario, lambda _: None)
    yield scenario, carried
    scenario.app.close()


__all__ = ["STORIES", "Carried", "told"]
