"""A stand-in for the model: reads the rendered thread, as a model would, and replies by rules.

It understands sentences such as "multiply 3 and 4, then divide the result by 2 and then add 12".
"""

import re
from dataclasses import dataclass, field
from typing import Any, cast

from twelvefold.context import parse
from twelvefold.messages import ModelRequest

OPERATIONS = ("add", "subtract", "multiply", "divide")
CLAUSE = re.compile(
    rf"\b({'|'.join(OPERATIONS)})\b(.*?)(?=\b(?:{'|'.join(OPERATIONS)})\b|\Z)", re.S
)
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)")

Number = int | float


@dataclass
class Reading:
    """What remains to be done, and what is known so far."""

    todo: list[tuple[str, list[Number]]] = field(default_factory=list[tuple[str, list[Number]]])
    value: Number | None = None
    error: str = ""


def script(request: ModelRequest) -> dict[str, Any]:
    reading = Reading()
    for tag, body in parse(request.messages[-1].text.strip() + "\n"):
        read(reading, tag, body)
    return reply(reading)


def read(reading: Reading, tag: str, body: Any) -> None:
    match tag:
        case "user_message":
            text = body if isinstance(body, str) else cast(str, body["text"])
            reading.error = ""
            reading.todo = [(found[1], numbers(found[2])) for found in CLAUSE.finditer(text)]
        case "human_response":
            correct(reading, body)
        case "error":
            reading.error = body["error"]
            reading.todo = []
        case _ if tag.removesuffix("_result") in OPERATIONS and tag.endswith("_result"):
            reading.value = body
            reading.todo = reading.todo[1:]
        case _:
            pass


def correct(reading: Reading, response: dict[str, Any]) -> None:
    """An answer gives the missing number; a denial may say "use 5 instead of 4"."""
    if not reading.todo:
        return
    operation, given = reading.todo[0]
    if response["decision"] == "answered":
        given = [*given, *numbers(str(response["answer"]))]
    elif response["decision"] == "denied" and len(pair := numbers(response["comment"])) == 2:
        given = [pair[0] if number == pair[1] else number for number in given]
    else:
        reading.todo, reading.error = [], f"{response['decision']}: {response.get('comment', '')}"
        return
    reading.todo[0] = (operation, given)


def reply(reading: Reading) -> dict[str, Any]:
    if reading.error:
        return {"intent": "done_for_now", "message": f"That did not work: {reading.error}"}
    if not reading.todo:
        return {"intent": "done_for_now", "message": f"The answer is {reading.value}."}
    operation, given = reading.todo[0]
    if len(given) == 1 and reading.value is not None:
        given = [reading.value, *given]
    if len(given) != 2:
        return {"intent": "request_more_information", "message": f"Which numbers do I {operation}?"}
    return {"intent": operation, "a": given[0], "b": given[1]}


def numbers(text: str) -> list[Number]:
    return [float(one) if "." in one else int(one) for one in NUMBER.findall(text)]
