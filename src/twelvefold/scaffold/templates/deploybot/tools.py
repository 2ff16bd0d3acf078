"""What the agent can do. A tool is a step, which a model fills in, and a function of yours."""

from typing import ClassVar, Literal

from twelvefold import Call, Step

from cluster import Cluster


class ListReleases(Step):
    intent: Literal["list_releases"] = "list_releases"


class DeployBackend(Step):
    risk: ClassVar = "high"  # above "low": nothing runs without a yes to exactly this
    intent: Literal["deploy_backend"] = "deploy_backend"
    tag: str


class DeployFrontend(Step):
    risk: ClassVar = "high"
    intent: Literal["deploy_frontend"] = "deploy_frontend"
    tag: str


def list_releases(step: ListReleases, call: Call[Cluster]) -> list[str]:
    return call.deps.releases()


def deploy(step: DeployBackend | DeployFrontend, call: Call[Cluster]) -> str:
    return call.deps.deploy(step.intent, step.tag, key=call.key)
