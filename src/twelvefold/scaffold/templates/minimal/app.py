"""The composition root: which model, which world outside, and the application that runs it all."""

from pathlib import Path

from twelvefold import Agent, App, ScriptedModel
from twelvefold.messages import model_named
from twelvefold.models.anthropic import AnthropicModel
from twelvefold.models.openai import OpenAIModel

from agent import OWNERS, AnyStep, decide
from tools import Outbox

HERE = Path(__file__).parent
MODEL = "script"  # the line to change: "openai" or "anthropic" asks a real one, see README.md
MODELS = {
    "script": ScriptedModel.from_file(HERE / "prompts" / "script.yaml"),
    "openai": OpenAIModel("gpt-5-mini"),
    "anthropic": AnthropicModel("claude-sonnet-5"),
}

outbox = Outbox(HERE / "outbox")
app = App(
    [Agent("bot", decide, AnyStep, deps=lambda tenant: outbox, owner=OWNERS)],
    model=model_named(MODELS, MODEL),
    # Whose yes counts, up to which risk: who sits at this machine, who signed in, who has a key.
    settles={"local": "medium", "signed_in": "medium", "key": "medium"},
)
