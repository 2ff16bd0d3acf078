"""What a contact looks like in Slack: Block Kit, as data. Pure.

A button carries the contact and the digest of what its message shows, so it decides that and
nothing else. Where not all of it has room, there are no buttons.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from twelvefold.deliveries import Closing, Delivery
from twelvefold.notices import as_mrkdwn, visible
from twelvefold.thread import Json, to_text

BUTTON_CHARS_MAX = 75
VALUE_CHARS_MAX = 2000
BUTTONS_MAX = 20
TEXT_CHARS_MAX = 3000
COMMENT_CHARS_MAX = 2000
MODAL_TITLE = {"deny": "Say why", "answer": "Answer"}

Blocks = list[dict[str, Any]]


def message(delivery: Delivery, *, now: datetime) -> tuple[str, Blocks]:
    """The text of a notification, and the blocks of the message."""
    notice = delivery.notice
    if notice is None:
        text = escaped(delivery.text)
        return text[:TEXT_CHARS_MAX], [_section(part) for part in _parts(text)]
    shown = as_mrkdwn(notice, now=now)
    blocks = [_section(text) for text in shown.texts]
    buttons = _buttons(delivery) if shown.whole else []
    if buttons:
        blocks.append({"type": "actions", "elements": buttons[:BUTTONS_MAX]})
    return escaped(visible(f"{notice.agent} {notice.wish}")), blocks


def ended(delivery: Delivery, closing: Closing) -> tuple[str, Blocks]:
    """The same message after its contact has ended: who, when, where, and no buttons."""
    who = f" by {closing.by}" if closing.by else ""
    where = f" ({closing.channel})" if closing.channel else ""
    said = f"{closing.outcome.replace('_', ' ')}{who}{where}, {closing.at:%Y-%m-%d %H:%M} UTC"
    lines = [escaped(visible(said))]
    if closing.comment:
        lines.append(f"> {_quoted(closing.comment)}")
    args = cast("dict[str, Json]", delivery.request.get("args") or {})
    about = _quoted(f"{delivery.request.get('intent', '')} {to_text(args)}")
    return lines[0], [_section("\n".join(lines)), _section(f"```\n{about}\n```")]


def modal(kind: str, about: Mapping[str, Json]) -> dict[str, Any]:
    """The form in which a person writes the reason of a no, or an answer."""
    given = {
        "type": "plain_text_input",
        "action_id": "text",
        "multiline": True,
        "max_length": COMMENT_CHARS_MAX,
    }
    return {
        "type": "modal",
        "callback_id": kind,
        "private_metadata": to_text(dict(about)),
        "title": _plain(MODAL_TITLE[kind]),
        "submit": _plain("Send"),
        "close": _plain("Cancel"),
        "blocks": [
            {
                "type": "input",
                "block_id": "said",
                "label": _plain("The agent reads this."),
                "element": given,
            }
        ],
    }


def escaped(text: str) -> str:
    """So that no text is a link, a name or a call of everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(text: str) -> str:
    """One line that ends no block of code, and begins none."""
    return escaped(visible(text)).replace("`", "\\x60")[: TEXT_CHARS_MAX - 10]


def _buttons(delivery: Delivery) -> Blocks:
    request = delivery.request
    about: dict[str, Json] = {
        "contact": f"{delivery.ref.id}.{delivery.about}",
        "digest": request.get("digest"),
    }
    match request.get("kind"):
        case "approval":
            offered = [("approve", "Approve", None), ("deny", "Deny", None)]
        case "question":
            offered = _answers(cast("dict[str, Json]", request.get("form") or {}))
        case _:
            offered = []
    for option in cast("Sequence[dict[str, Json]]", request.get("options") or ()):
        offered.append(("choose", str(option.get("title") or option["name"]), option["name"]))
    buttons = [_button(*one, about=about, number=n) for n, one in enumerate(offered)]
    return [button for button in buttons if len(button["value"]) <= VALUE_CHARS_MAX]


def _answers(form: Mapping[str, Json]) -> list[tuple[str, str, Json]]:
    if form.get("kind") == "yes_no":
        return [("answer", "Yes", True), ("answer", "No", False)]
    choices = cast("list[str]", form.get("choices") or [])
    if choices and not form.get("many"):
        return [("answer", choice, choice) for choice in choices]
    return [("write", "Answer", None)] if form.get("kind", "free_text") == "free_text" else []


def _button(
    decision: str, text: str, value: Json, *, about: Mapping[str, Json], number: int
) -> dict[str, Any]:
    carried = dict(about) | ({} if value is None else {"value": value})
    button: dict[str, Any] = {
        "type": "button",
        "action_id": f"{decision}:{number}",
        "text": _plain(visible(text)[:BUTTON_CHARS_MAX]),
        "value": to_text(carried),
    }
    if decision == "approve":
        button["style"] = "primary"
    return button


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _parts(text: str) -> list[str]:
    return [text[n : n + TEXT_CHARS_MAX] for n in range(0, max(len(text), 1), TEXT_CHARS_MAX)]
