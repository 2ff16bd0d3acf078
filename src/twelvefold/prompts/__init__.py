"""Prompts are files of the user's: role lines and a Jinja2 body. Nothing is added to them.

A line `--- system`, `--- user` or `--- assistant` begins a message; without one the file is one
user message. A line `--- cache` ends a part that the provider may keep. Each message and part is a
template of its own. A `Thread` among the variables is rendered by `context`, the user's function.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from jinja2 import Template, TemplateSyntaxError

from twelvefold.exceptions import PromptError
from twelvefold.messages import Message, Part, Role
from twelvefold.prompts.inserting import Raw, in_parts, joined, parts_of
from twelvefold.prompts.reading import Body, read
from twelvefold.prompts.sandbox import compiled
from twelvefold.prompts.written import written
from twelvefold.thread import Thread

__all__ = ["Context", "Prompt", "Raw", "written"]

QUOTED_CHARS_MAX = 80


class Context(Protocol):
    """The user's function from a thread to what the model reads of it.

    What it returns is inserted as it is. The parts of a `Message` stay parts, with their cache
    marks.
    """

    def __call__(self, thread: Thread, /) -> str | Message: ...


@dataclass(frozen=True, slots=True)
class _Compiled:
    body: Body
    template: Template


class Prompt:
    """A prompt file. Calling it with variables gives what `AskModel` takes.

    The file is read when the prompt is made. Raises `PromptError`, here and when it is rendered.
    `context` is needed only where a `Thread` is among the variables. `data` is the front matter:
    the defaults of variables, sent only where the file inserts them.
    """

    def __init__(self, path: str | Path, *, context: Context | None = None) -> None:
        self.path, self.context = Path(path), context
        file = read(self.path)
        self.data: Mapping[str, Any] = file.data
        self._lines = file.lines
        self._messages: list[tuple[Role, list[_Compiled]]] = [
            (role, [_Compiled(body, self._template(body)) for body in bodies])
            for role, bodies in file.messages
        ]

    def __call__(self, /, **variables: Any) -> Callable[[], tuple[Message, ...]]:
        return lambda: self.messages(**variables)

    def messages(self, /, **variables: Any) -> tuple[Message, ...]:
        """The exact messages, one per role line."""
        shown = {name: self._shown(name, value) for name, value in variables.items()}
        given = {**self.data, **shown}
        return tuple(
            Message(role, _sent([p for each in bodies for p in self._parts(each, given)]))
            for role, bodies in self._messages
        )

    def _shown(self, name: str, value: Any) -> Any:
        if not isinstance(value, Thread):
            return value
        if self.context is None:
            raise PromptError(
                f"{self.path}: {name} is a thread, and the prompt does not know how to show it:"
                " name a function, for example Prompt(path, context=render)."
            )
        made = cast(object, self.context(value))
        if isinstance(made, Message):
            return in_parts(made.parts)
        if isinstance(made, str):
            return Raw(made)
        raise PromptError(
            f"{self.path}: context returned a {type(made).__name__} for {name}; a prompt can insert"
            " a text or one Message. Put several messages in a list beside the prompt's own."
        )

    def _template(self, body: Body) -> Template:
        try:
            return compiled(body.text)
        except TemplateSyntaxError as error:
            line = body.line + error.lineno - 1
            raise PromptError(f"{self._at(line)}: {error.message}") from error

    def _parts(self, part: _Compiled, given: Mapping[str, Any]) -> list[Part]:
        template = part.template
        try:
            text = joined(template.root_render_func(template.new_context(dict(given))))
        except Exception as error:  # a template can raise whatever its expressions do
            raise PromptError(self._said(error, part, given)) from error
        return parts_of(text, cache=part.body.cache)

    def _said(self, error: Exception, part: _Compiled, given: Mapping[str, Any]) -> str:
        line = part.body.line + _line_of(error, part.template) - 1
        quoted = self._lines[line - 1].strip()[:QUOTED_CHARS_MAX]
        what = f"{error}" if isinstance(error, PromptError) else f"{type(error).__name__}: {error}"
        names = ", ".join(sorted(given)) or "none"
        return f"{self._at(line)}: {what.rstrip('.')}. In: {quoted}   Variables given: {names}."

    def _at(self, line: int) -> str:
        return f"{self.path}:{line}"


def _line_of(error: Exception, template: Template) -> int:
    """The innermost line of the template that the error went through, from 1."""
    line, frame = 1, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_globals is template.root_render_func.__globals__:
            line = template.get_corresponding_lineno(frame.tb_lineno)
        frame = frame.tb_next
    return line


def _sent(parts: list[Part]) -> tuple[Part, ...]:
    """Without empty parts, which no provider takes; their mark goes to the part before them."""
    kept: list[Part] = []
    for part in parts:
        if part.text:
            kept.append(part)
        elif part.cache and kept:
            kept[-1] = Part(kept[-1].text, cache=True)
    return tuple(kept) or (Part(""),)
