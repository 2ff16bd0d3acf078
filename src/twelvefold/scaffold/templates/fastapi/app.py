"""The composition root: which model, which world outside, who is who, and what runs it all."""

from os import environ
from pathlib import Path

from twelvefold import Agent, App, ScriptedModel
from twelvefold.messages import model_named
from twelvefold.models.anthropic import AnthropicModel
from twelvefold.models.openai import OpenAIModel

from agent import SUPPORT, AnyStep, decide
from orders import Orders

HERE = Path(__file__).parent
MODEL = "script"  # the line to change: "openai" or "anthropic" asks a real one, see README.md
MODELS = {
    "script": ScriptedModel.from_file(HERE / "prompts" / "script.yaml"),
    "openai": OpenAIModel("gpt-5-mini"),
    "anthropic": AnthropicModel("claude-sonnet-5"),
}

orders = Orders(Path(environ.get("ORDERS", HERE / "orders.db")))
app = App(
    [Agent("refunds", decide, AnyStep, deps=lambda tenant: orders, owner=SUPPORT)],
    model=model_named(MODELS, MODEL),
    directory=HERE / "people.yaml",
    # Whose yes counts, up to which risk: who sits at this machine, who signed in, who has a key.
    settles={"local": "medium", "signed_in": "medium", "key": "medium"},
)
