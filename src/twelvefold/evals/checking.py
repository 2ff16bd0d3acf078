"""A case checked offline: its reply is in the case, in a recording beside it, or scripted.

No model is reached from here. What a check proves is that the reply reads as it should, that code
decides what it should, and, where the case holds a hash, that the model would read the same bytes.
It does not prove that a model would reply so: `evaluate` asks one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twelvefold.agent import Agent
from twelvefold.cases import SUFFIX, Case, Stand, Verdict, broken, judge, stand
from twelvefold.exceptions import ConfigurationError, NotRecorded
from twelvefold.messages import Model, ModelReply, model_named
from twelvefold.models.recorded import recorded
from twelvefold.plan import CallModel

REPLIES_SUFFIX = ".replies.jsonl"
"""`next_step.replies.jsonl` holds the recorded replies of `next_step.cases.yaml`."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A verdict, and where its reply came from: "case", "recording", "script" or nowhere."""

    verdict: Verdict
    source: str = ""
    stand: Stand | None = None


async def check(
    case: Case,
    agents: Mapping[str, Agent[Any, Any]],
    models: Mapping[str, Model],
    *,
    replies: Model | None = None,
) -> Checked:
    """Raises `ConfigurationError`; what decide raises and facts that cannot happen are complaints.

    `replies` is the recording beside the file, where there is one.
    """
    try:
        at = stand(case, agents)
        if at.ask is None:
            return Checked(judge(at), stand=at)
        reply, source = await _reply(case, at.ask, models, replies)
        return Checked(judge(at, reply), source, at)
    except NotRecorded as miss:
        return Checked(broken(case, miss), "recording")
    except ConfigurationError:
        raise
    except Exception as error:  # the agent's own code, which is what is tested
        return Checked(broken(case, error))


async def _reply(
    case: Case, ask: CallModel, models: Mapping[str, Model], replies: Model | None
) -> tuple[ModelReply, str]:
    if case.reply is not None:
        return ModelReply(case.reply), "case"
    if replies is not None:
        return await replies(ask.request), "recording"
    model = model_named(models, ask.model)
    if getattr(model, "offline", False):
        return await model(ask.request), "script"
    raise NotRecorded(
        f"{case.place}: no reply is recorded, and {type(model).__name__} would be asked over a"
        " network. Put a `reply:` into the case, or record one: twelvefold eval --record."
    )


def replies_path(file: Path) -> Path:
    """Where the recording of a file of cases is, or would be."""
    return file.with_name(file.name.removesuffix(SUFFIX) + REPLIES_SUFFIX)


def replies_of(file: Path) -> Model | None:
    """The recording beside a file of cases; None when there is none."""
    path = replies_path(file)
    return recorded(path) if path.exists() else None
