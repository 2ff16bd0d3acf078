"""Phase one: the values that a reply holds, with what was repaired and where they stand.

- What was thought is not said: `<think>` and its like, up to their end. An end without a beginning
  takes everything before it along; a beginning without an end takes the rest.
- Quoted lines (`>`), table rows, mail, other people's elements (`<error>`, `<user_message>`) and
  code in another language are somebody else's words.
- Reading goes forward only: what was part of a value, or of a broken one, is not read again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from twelvefold.thread import Json
from twelvefold.tools.loose import Read, read
from twelvefold.tools.quoted import CUT_KEY, KEY, Blanks
from twelvefold.tools.values import Unclear, decoded

CANDIDATES_MAX = 200
BROKEN_MAX = 100
LEFT_OVER_MAX = 400
FAILED_MAX = 5_000
"""How many brackets that open no value are tried."""
MISSES_MAX = 3

FENCE = "code fence removed"
PROSE = "text around the JSON removed"
THOUGHT = "thinking removed"
ELEMENT = "element around the JSON removed"

_THOUGHTS = (
    "think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis|antml:thinking"
)
_THOUGHT = re.compile(
    rf"<(?:{_THOUGHTS})\b[^<>]{{0,100}}+>|\[THINK\]|◁think▷|<\|channel\|>(?:analysis|commentary)",
    re.IGNORECASE,
)
_THOUGHT_END = re.compile(
    rf"</(?:{_THOUGHTS})\s*+>|\[/THINK\]|◁/think▷|<\|channel\|>final(?:<\|message\|>)?",
    re.IGNORECASE,
)
_NEXT = re.compile(
    rf"(?P<thought>{_THOUGHT.pattern})|(?P<ended>{_THOUGHT_END.pattern})"
    r"|(?P<foreign>^[ \t]*+[>|][^\n]*+)"
    r"|(?P<mail>^(?:From|Subject|Sent|To|Cc|Date|Reply-To):[ \t][^\n]*+"
    r"|^-{2,}[ \t]*+(?:Original|Forwarded)\b)"
    r"|(?P<fence>(?:```++|~~~++)[ \t]*+(?P<language>[\w+.#-]{0,30}+))"
    r"|(?P<element></?(?P<name>[a-z_][\w:.-]{0,60}+)[^<>{}\[\]]{0,200}+>)"
    r"|(?P<value>\[|\{(?=\s*+[}/#\"'`“\w$@-]))",
    re.IGNORECASE | re.MULTILINE,
)
_SPOKEN = frozenset(
    "json json5 jsonc jsonl ndjson javascript js typescript ts python py text txt plaintext output"
    " tool_call tool_calls tool_code function_call action answer".split()
)
_ANSWERS = frozenset(
    "tool_call tool_calls tool_use function_call function_calls functioncall function next_step"
    " step action answer output response final final_answer json result_json".split()
)
_LIKE_JSON = re.compile(r"[{\[]\s*+(?:[{\[]\s*+){0,20}+(?:[\"'`“]|[\w-]{1,80}+\s*+:)")
_OPENS = re.compile(rf"\[|\{{\s*+(?:[}}/#]|{KEY.pattern})")
_BRACKET = re.compile(r"[{}\[\]]")
_NEXT_FIELD = re.compile(r"[\"'`”]\s*+,\s*+[\"'`“]?[\w -]{1,40}+[\"'`”]?\s*+:")
_MAIL_LINES_MIN = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value of the reply. `start` and `end` are those of what holds it alone: a fence, or itself;
    `foreign` says why these are not the model's own words."""

    value: Json
    notes: tuple[str, ...]
    start: int
    end: int
    fenced: bool = False
    foreign: str = ""


@dataclass(slots=True)
class Found:
    """What a reply holds: values, and pieces of JSON that nobody can read."""

    values: list[Candidate] = field(default_factory=list[Candidate])
    broken: list[Unclear] = field(default_factory=list[Unclear])
    since: int = 0
    unfinished: bool = False
    notes: dict[str, None] = field(default_factory=dict[str, None])
    text: str = ""


def candidates(text: str) -> Found:
    """All values of the reply, in their order. Raises `Unclear` when they are too many or too
    deep."""
    return _Scan(text).found()


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.blanks = Blanks(text)
        self.made = Found(text=text)
        self.fence: int | None = None  # where the open code fence begins
        self.first = 0  # of the values in the open fence
        self.mail_lines = 0
        self.misses = 0  # of the C decoder
        self.failed = 0
        self.spans: list[tuple[int, int]] = []  # of the values
        self.open: dict[str, int] = {}  # elements of others, and how often they are open
        self.closes = {m["name"].lower(): m.start() for m in _elements(text) if m[0][1] == "/"}

    def found(self) -> Found:
        at = 0
        while at < len(self.text) and (mark := _NEXT.search(self.text, at)):
            at = self._mark(mark)
            if len(self.made.values) > CANDIDATES_MAX:
                raise Unclear("ambiguous", f"The reply holds over {CANDIDATES_MAX} JSON values.")
        ends = [one[0] for one in self.spans[1:]] + [len(self.text)]
        for (_, end), until in zip(self.spans, ends, strict=False):
            if goes_on(self.text[end : min(until, end + LEFT_OVER_MAX)]):
                self.made.broken.append(
                    Unclear("ambiguous", "The JSON goes on after its end.", end)
                )
        if self.fence is not None:
            self._fence_ends(len(self.text))
        return self.made

    def _mark(self, mark: re.Match[str]) -> int:
        match mark.lastgroup if mark.lastgroup not in {"language", "name"} else "":
            case "thought":
                return self._thought(mark)
            case "ended":
                return self._thought_ends(mark.end())
            case "foreign":
                return mark.end()
            case "mail":
                self.mail_lines += 1 if mark["mail"][0] != "-" else _MAIL_LINES_MIN
                return mark.end()
            case "value":
                return self._value(mark.start())
            case _ if mark["fence"]:
                return self._fence(mark)
            case _:
                return self._element(mark)

    def _thought(self, mark: re.Match[str]) -> int:
        self.made.notes[THOUGHT] = None
        again = "it is thought about again after it"
        self.made.values = [replace(one, foreign=again) for one in self.made.values]
        end = _THOUGHT_END.search(self.text, mark.end())
        self.made.unfinished = end is None
        self.made.since = end.end() if end else len(self.text)
        return self.made.since

    def _thought_ends(self, at: int) -> int:
        """An end without a beginning: all that came before was thought."""
        broken = self.made.broken  # or this stands in a text that nobody closed
        self.made = Found(broken=broken, since=at, notes={THOUGHT: None}, text=self.text)
        self.spans.clear()
        self.fence, self.mail_lines = None, 0
        self.open.clear()
        return at

    def _fence(self, mark: re.Match[str]) -> int:
        if self.fence is not None:
            self._fence_ends(mark.start("language"))
            return mark.start("language")
        if mark["language"].lower() in _SPOKEN or not mark["language"]:
            self.fence, self.first = mark.start(), len(self.made.values)
            return mark.end()
        end = self.text.find(mark["fence"][:3], mark.end())
        return len(self.text) if end < 0 else end + 3

    def _fence_ends(self, end: int) -> None:
        within = self.made.values[self.first :]
        self.made.values[self.first :] = [
            Candidate(one.value, one.notes, self.fence or 0, end, True, one.foreign)
            for one in within
        ]
        self.fence = None
        if within:
            self.made.notes[FENCE] = None

    def _element(self, mark: re.Match[str]) -> int:
        name = mark["name"].lower()
        if name in _ANSWERS or mark["element"].endswith("/>"):
            return mark.end()
        if mark["element"].startswith("</"):
            self.open.pop(name, None)
        elif self.closes.get(name, -1) > mark.end() or self._begins_line(mark.start()):
            self.open[name] = mark.end()
        return mark.end()

    def _begins_line(self, at: int) -> bool:
        """Where an element that nobody closes is no part of a sentence, such as `List<int>`."""
        return at == 0 or self.text[at - 1] == "\n"

    def _value(self, start: int) -> int:
        if not _OPENS.match(self.text, start):
            cut_off = CUT_KEY.match(self.text, start + 1)
            reason = "truncated" if cut_off else "not_json"
            return self._unclear(
                Unclear(reason, "An object begins without a key.", start + 1), start
            )
        try:
            value, end, notes = self._read(start)
        except Unclear as unclear:
            return self._unclear(unclear, start)
        self.made.values.append(Candidate(value, notes, start, end, foreign=self._foreign()))
        self.spans.append((start, end))
        return end

    def _read(self, start: int) -> Read:
        """JSON is read by the C decoder, as long as that finds some: it tells no way to go on."""
        if self.misses < MISSES_MAX:
            try:
                return Read(*decoded(self.text, start), ())
            except (ValueError, RecursionError, Unclear):
                self.misses += 1
        return read(self.blanks, start)

    def _foreign(self) -> str:
        if self.mail_lines >= _MAIL_LINES_MIN:
            return "it stands in a mail"
        return f"it stands inside of <{next(iter(self.open))}>" if self.open else ""

    def _unclear(self, unclear: Unclear, start: int) -> int:
        if unclear.reason == "too_deep":
            raise unclear
        list_cut_off = unclear.reason == "truncated" and self.text[start] == "["
        like_json = list_cut_off or _LIKE_JSON.match(self.text, start)
        if like_json and not self._foreign():
            self.made.broken.append(unclear.with_traceback(None))
        self.failed += 1
        if len(self.made.broken) > BROKEN_MAX or self.failed > FAILED_MAX:
            raise unclear
        return max(unclear.at, start + 1)


def goes_on(after: str) -> bool:
    """Whether what follows a value looks like the rest of it: the value ended too early."""
    rest, depth = after.lstrip(" \t\r\n}])"), 0
    for bracket in _BRACKET.finditer(rest):
        depth += 1 if bracket[0] in "{[" else -1
        if depth < 0:
            return True
    return bool(_NEXT_FIELD.search(rest))


def _elements(text: str) -> Iterator[re.Match[str]]:
    return (mark for mark in _NEXT.finditer(text) if mark["element"])
