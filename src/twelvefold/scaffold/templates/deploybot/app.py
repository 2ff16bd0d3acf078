"""The composition root: which model, which world outside, who is who, and what runs it all."""

from pathlib import Path

from twelvefold import Agent, App, ScriptedModel
from twelvefold.messages import model_named
from twelvefold.models.anthropic import AnthropicModel
from twelvefold.models.openai import OpenAIModel

from agent import OPS, AnyStep, decide
from cluster import Cluster

HERE = Path(__file__).parent
MODEL = "script"  # the line to change: "openai" or "anthropic" asks a real one, see README.md
MODELS = {
    "script": ScriptedModel.from_file(HERE / "prompts" / "script.yaml"),
    "openai": OpenAIModel("gpt-5-mini"),
    "anthropic": AnthropicModel("claude-sonnet-5"),
}

cluster = Cluster(HERE / "cluster.db")
app = App(
    [Agent("deploybot", decide, AnyStep, deps=lambda tenant: cluster, owner=OPS)],
    model=model_named(MODELS, MODEL),
    directory=HERE / "people.yaml",
    # Whose yes counts, up to which risk: who sits at this machine, who signed in, who has a key.
    settles={"local": "high", "signed_in": "high", "key": "high"},
)
