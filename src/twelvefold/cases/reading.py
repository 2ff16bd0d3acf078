"""Read `*.cases.yaml`: a list of cases. Whatever is wrong is said with its file, line and case."""

from pathlib import Path

from twelvefold.cases import expressions
from twelvefold.cases.case import HASH, START, TICK, Case, Expected, Fact
from twelvefold.cases.lines import Place, as_map, kind_of, read_yaml
from twelvefold.exceptions import InvalidCase, TwelvefoldError, Unstorable
from twelvefold.files import NOTHING_IMPORTED, read_lines
from twelvefold.files.shapes import fault_of
from twelvefold.plan import REFUSALS
from twelvefold.thread import EVENT_VERSION, Draft, Event, Json, Thread, from_iso, to_text

SUFFIX = ".cases.yaml"

_KEYS = ("name", "agent", "thread", "at", "reply", "prompt", "expect")
_EXPECTED = (
    *("intent", "args", "has", "assert", "answer", "refused"),
    *("effect", "waits", "then"),
)
FACTS = (
    *("message", "chose", "returned", "failed", "approved", "denied", "edited", "answered"),
    *("picked", "signal", "event"),
)


def read_cases(path: Path, *, name: str | None = None) -> list[Case]:
    """The cases of a file, in its order. Raises `InvalidCase`, which calls the file `name`."""
    file = name or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCase(f"{file} cannot be read: {error}") from error
    return cases_in(text, file=file, folder=path.parent)


def cases_in(text: str, *, file: str, folder: Path) -> list[Case]:
    """The cases of a text. Threads that it names as files are looked for in `folder`."""
    places = list(read_yaml(text, file=file).items("A file of cases"))
    found: dict[str, Case] = {}
    for place in places:
        case = _case(place, folder)
        if case.name in found:
            place.refuse(f"line {found[case.name].line} has a case named {case.name!r} already.")
        found[case.name] = case
    if not found:
        raise InvalidCase(f"{file}: there is no case in it.")
    return list(found.values())


def _case(place: Place, folder: Path) -> Case:
    name = _needed(place, place.keys("A case"), "name").text("name")
    place = place.named(name)
    keys = _known(place, "A case", _KEYS)
    thread = _needed(place, keys, "thread")
    log, facts = _thread(thread, folder)
    if "at" in keys:
        log = _cut(keys["at"], log)
    reply = keys.get("reply")
    return Case(
        name=name,
        file=place.file,
        line=place.line,
        expect=_expected(_needed(place, keys, "expect")),
        agent=keys["agent"].text("agent") if "agent" in keys else None,
        log=log,
        facts=facts,
        reply=None if reply is None else _reply(reply),
        prompt=(prompt := keys["prompt"].text("prompt") if "prompt" in keys else None),
        snapshot=None if prompt is None else _snapshot(keys["prompt"], folder / prompt),
    )


def _known(place: Place, what: str, names: tuple[str, ...]) -> dict[str, Place]:
    keys = place.keys(what)
    for name, value in keys.items():
        if name not in names:
            value.refuse(f"{name!r} is not one of: {', '.join(names)}.")
    return keys


def _needed(place: Place, keys: dict[str, Place], name: str) -> Place:
    if name not in keys:
        place.refuse(f"a case needs {name!r}.")
    return keys[name]


def _reply(place: Place) -> str:
    """A text is what the model said, to the byte; a map is said as JSON."""
    if isinstance(place.value, str):
        return place.value
    return to_text(place.map("reply, where it is no text,"))


def _snapshot(place: Place, path: Path) -> str | None:
    if HASH.fullmatch(path.name):
        return None
    try:
        return path.read_bytes().decode("utf-8", "surrogatepass")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        place.refuse(f"the snapshot {place.value} cannot be read: {error}")


# Threads


def _thread(place: Place, folder: Path) -> tuple[Thread | None, tuple[Fact, ...]]:
    """A text with lines of JSON is a log, any other text is the file of one. A list is facts, or
    whole events where each has a `type`."""
    if isinstance(place.value, str):
        text = place.value
        return _log(place, text if text.lstrip().startswith("{") else _file(place, folder)), ()
    items = list(place.items("thread"))
    if items and all("type" in (as_map(item.value) or {}) for item in items):
        return Thread("case", "", [_event(item, n) for n, item in enumerate(items, start=1)]), ()
    return None, tuple(map(_fact, items))


def _file(place: Place, folder: Path) -> str:
    path = folder / place.text("thread")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        place.refuse(
            f"the file {place.value!r} beside this one cannot be read: {why}. A thread is a list of"
            " facts, an exported .jsonl by its path from here, or its lines."
        )


def _log(place: Place, text: str) -> Thread:
    try:
        return read_lines(text)
    except TwelvefoldError as error:
        place.refuse(f"thread: {str(error).removesuffix(NOTHING_IMPORTED)}")


def _cut(place: Place, log: Thread | None) -> Thread:
    if log is None:
        place.refuse("'at' cuts an exported thread; facts end where you end them.")
    seq = place.value
    if not isinstance(seq, int) or isinstance(seq, bool) or not 1 <= seq <= log.head:
        place.refuse(f"'at' is an event from 1 to {log.head}, not {kind_of(seq)}.")
    return log.upto(seq)


def _event(place: Place, seq: int) -> Event:
    """An event written by hand: what it leaves out of the line of an export has a default."""
    keys = _known(place, "an event", ("type", "data", "at", "key", "after", "v"))
    for name, kind in (("data", dict), ("key", str), ("after", int), ("v", int)):
        if name in keys and not isinstance(keys[name].value, kind | None):
            keys[name].refuse(f"this is no event: {name} is {kind_of(keys[name].value)}.")
    try:
        at = from_iso(keys["at"].text("at")) if "at" in keys else START + seq * TICK
        found: dict[str, Json] = {name: value.value for name, value in keys.items()}
        draft = Draft(
            keys["type"].text("type"),
            as_map(found.get("data")) or {},
            at,
            key=found.get("key"),
            after=found.get("after"),
            v=found.get("v", EVENT_VERSION),
        )
    except (ValueError, Unstorable) as error:
        place.refuse(f"this is no event: {error}")
    if fault := fault_of(draft.event(seq)):
        place.refuse(f"this is no event: {fault}.")
    return draft.event(seq)


def _fact(place: Place) -> Fact:
    if isinstance(place.value, str):  # `- approved` says all there is to say
        name, says, at = place.value, None, place
    else:
        keys = place.keys("a fact")
        if len(keys) != 1:
            place.refuse("a fact has one name, such as `message: ship it`.")
        [(name, at)] = keys.items()
        says = at.value
    if name not in FACTS:
        at.refuse(f"{name!r} is no fact. There are: {', '.join(FACTS)}.")
    return Fact(name, says, at.line)


# What must come of it


def _expected(place: Place) -> Expected:
    keys = _known(place, "expect", _EXPECTED)
    if not keys:
        place.refuse("expect names nothing, so nothing could fail.")
    if keys.keys() & {"effect", "waits"} and keys.keys() - {"effect", "waits"}:
        place.refuse("effect and waits say that no reply is read; the others are about a reply.")
    waits = keys.get("waits")
    if waits is not None and not isinstance(waits.value, bool):
        waits.refuse(f"waits is true or false, not {kind_of(waits.value)}.")
    return Expected(
        intent=_text(keys, "intent"),
        args=keys["args"].map("args") if "args" in keys else None,
        has=keys["has"].map("has") if "has" in keys else None,
        asserts=_asserts(keys["assert"]) if "assert" in keys else (),
        answer=(keys["answer"].value,) if "answer" in keys else (),
        refused=_reason(keys["refused"]) if "refused" in keys else None,
        effect=_text(keys, "effect"),
        waits=None if waits is None else bool(waits.value),
        then=_text(keys, "then"),
    )


def _text(keys: dict[str, Place], name: str) -> str | None:
    return keys[name].text(name) if name in keys else None


def _reason(place: Place) -> str:
    if place.value not in REFUSALS:
        place.refuse(f"refused is one of {', '.join(REFUSALS)}; not {place.value!r}.")
    return place.text("refused")


def _asserts(place: Place) -> tuple[str, ...]:
    several = list(place.items("assert")) if isinstance(place.value, list) else [place]
    for one in several:
        if fault := expressions.fault_of(one.text("assert")):
            one.refuse(f"assert: {fault}")
    return tuple(one.text("assert") for one in several)
