"""What Slack delivers, after its signature was checked: events, buttons and forms. Pure."""

from collections.abc import Collection, Mapping
from typing import Any, cast
from urllib.parse import parse_qs

from twelvefold.exceptions import InvalidRequest
from twelvefold.inbound import Decided, Ignored, Inbound, Received, Written
from twelvefold.triggers import read_json, text_in

ASSURANCE = "slack"
FORM = "application/x-www-form-urlencoded"
SPOKEN = frozenset({"message", "app_mention"})
DIRECT = "im"

Data = Mapping[str, Any]


def read(inbound: Inbound, *, teams: Collection[str]) -> Received:
    """Raises `InvalidRequest`. `teams`: the workspaces that are listened to; empty is all."""
    if inbound.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        return _interaction(_payload(inbound.body), teams)
    data = read_json(inbound.body)
    match data.get("type"):
        case "url_verification":
            return Ignored("a test of the URL", {"challenge": text_in(data, "challenge")})
        case "event_callback":
            return _event(data, teams)
        case other:
            return Ignored(f"{str(other)[:80]} means nothing here")


def _payload(body: bytes) -> Data:
    try:
        found = parse_qs(body.decode(), strict_parsing=True, max_num_fields=20)["payload"][0]
    except (ValueError, KeyError) as error:
        raise InvalidRequest("The form holds no payload. Nothing was done.") from error
    return read_json(found.encode())


def _event(data: Data, teams: Collection[str]) -> Received:
    event = data.get("event")
    if not isinstance(event, dict):
        raise InvalidRequest("An event_callback holds an event. Nothing was done.")
    said = cast("dict[str, Any]", event)
    team = text_in(data, "team_id")
    if teams and team not in teams:
        return Ignored(f"the workspace {team or 'without a name'} is not listened to")
    if said.get("type") not in SPOKEN or said.get("subtype") or said.get("bot_id"):
        return Ignored("nothing that a person has said")
    channel, at, user = (text_in(said, name) for name in ("channel", "ts", "user"))
    if not (channel and at and user):
        raise InvalidRequest("A message has a channel, a ts and a user. Nothing was done.")
    thread = text_in(said, "thread_ts")
    is_addressed = said["type"] == "app_mention" or text_in(said, "channel_type") == DIRECT
    return Written(
        # One message comes as two events when it mentions the app: its place names it.
        key=f"{team}:{channel}:{at}",
        text=_without_mention(text_in(said, "text")),
        sender=user,
        conversation=f"{channel}:{thread or at}",
        replies_to={"channel": channel, "ts": thread} if thread else {},
        assurance=ASSURANCE,
        begins=is_addressed and not thread,
    )


def _without_mention(text: str) -> str:
    """What was said to the app, without its own name in front; Slack's entities as characters."""
    words = text.strip()
    if words.startswith("<@") and ">" in words:
        words = words.partition(">")[2].strip()
    return words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _interaction(data: Data, teams: Collection[str]) -> Received:
    team, user = text_in(data, "team", "id"), text_in(data, "user", "id")
    if teams and team not in teams:
        return Ignored(f"the workspace {team or 'without a name'} is not listened to")
    if not user:
        raise InvalidRequest("An interaction has a user. Nothing was done.")
    match data.get("type"):
        case "block_actions":
            return _pressed(data, user)
        case "view_submission":
            return _submitted(data, user)
        case other:
            return Ignored(f"{str(other)[:80]} means nothing here")


def _pressed(data: Data, user: str) -> Received:
    actions = cast("list[Any]", data.get("actions") or [])
    action = cast("dict[str, Any]", actions[0]) if actions and isinstance(actions[0], dict) else {}
    decision = text_in(action, "action_id").partition(":")[0]
    about = read_json(text_in(action, "value").encode() or b"{}")
    where = {
        "channel": text_in(data, "channel", "id") or text_in(data, "container", "channel_id"),
        "user": user,
    }
    if decision in ("deny", "write"):
        form = "deny" if decision == "deny" else "answer"
        opens = {"opens": form, "about": dict(about), "trigger": text_in(data, "trigger_id")}
        return Ignored("a form is shown", {**where, **opens})
    return _decided(decision, about, user, value=about.get("value"), then=where)


def _submitted(data: Data, user: str) -> Received:
    decision = text_in(data, "view", "callback_id")
    about = read_json(text_in(data, "view", "private_metadata").encode() or b"{}")
    said = text_in(data, "view", "state", "values", "said", "text", "value")
    then = {"form": True, "user": user}
    if decision == "deny":
        return _decided("deny", about, user, comment=said, then=then)
    return _decided(decision, about, user, value=said, then=then)


def _decided(
    decision: str,
    about: Data,
    user: str,
    *,
    comment: str | None = None,
    value: Any = None,
    then: Mapping[str, Any],
) -> Decided:
    contact, digest = about.get("contact"), about.get("digest")
    if not isinstance(contact, str) or not isinstance(digest, str | None) or not decision:
        raise InvalidRequest("This button or form is none of this application. Nothing was done.")
    return Decided(
        contact=contact,
        decision=decision,
        sender=user,
        assurance=ASSURANCE,
        comment=comment or None,
        value=value,
        digest=digest,
        then=then,
    )
