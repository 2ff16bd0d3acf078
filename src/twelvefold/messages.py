"""What goes to a model and what comes back: data, and the protocol of a model."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from twelvefold.exceptions import ConfigurationError
from twelvefold.thread import DEFAULT_TENANT, Json, canonical

Role = Literal["system", "user", "assistant"]
Finish = Literal["end", "truncated", "refused", "other"]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message. `cache`: the provider may keep everything up to its end."""

    text: str
    cache: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart(Part):
    """An image or a document that the model reads: the bytes that the store keeps under `sha256`.

    `name` is what a vendor may show the model of it, such as "invoice.pdf".
    """

    text: str = field(default="", init=False)
    sha256: str
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message with its role."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "".join([part.text for part in self.parts])


def message(role: Role, text: str) -> Message:
    return Message(role, (Part(text),))


Prompt = str | Sequence[Message] | Callable[[], str | Sequence[Message]]
"""What `AskModel` takes: text, messages, or any function without arguments that returns one of
them."""


def messages_of(prompt: Prompt) -> tuple[Message, ...]:
    """The messages to send: text becomes one user message."""
    made = prompt() if callable(prompt) else prompt
    return (message("user", made),) if isinstance(made, str) else tuple(made)


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call. Only `messages` and `schema` are sent; the rest says where the call belongs.

    `schema` is a JSON Schema of the steps on offer. `turn` counts the model calls of the thread
    from 1. `contents`: the bytes of each `FilePart`, filled in when the call is made.
    """

    messages: tuple[Message, ...]
    schema: str | None = None
    tenant: str = DEFAULT_TENANT
    thread_id: str = ""
    agent: str = ""
    turn: int = 1
    contents: Mapping[str, bytes] = field(default_factory=lambda: {}, repr=False, hash=False)

    def with_contents(self, load: Callable[[str], bytes]) -> "ModelRequest":
        """The request with the bytes of its files; `load` takes their SHA-256. Itself without
        files."""
        parts = [part for message in self.messages for part in message.parts]
        named = {part.sha256 for part in parts if isinstance(part, FilePart)}
        if not named:
            return self
        return replace(self, contents={sha256: load(sha256) for sha256 in sorted(named)})

    @property
    def text(self) -> str:
        """All that the model reads, in order."""
        return "\n".join(message.text for message in self.messages)

    def hash(self) -> str:
        """SHA-256, hex, over every byte that is sent: texts, roles, cache marks and schema."""
        return RequestHash().of(self)


class RequestHash:
    """The hashes of one request after the other. Where the texts have only grown, as those of a
    thread do, no more is read than what is new."""

    __slots__ = ("_text", "_texts")

    def __init__(self) -> None:
        self._text, self._texts = "", hashlib.sha256()

    def of(self, request: ModelRequest) -> str:
        """`request.hash()`: over the hash of all texts, and behind it how they are divided."""
        text = "".join([message.text for message in request.messages])
        if not text.startswith(self._text):
            self._text, self._texts = "", hashlib.sha256()
        # Lone surrogates cannot be sent either, but they must not break the hash.
        self._texts.update(text[len(self._text) :].encode("utf-8", "surrogatepass"))
        self._text = text
        digest = hashlib.sha256(self._texts.digest())
        digest.update(f"[{','.join(map(_divided, request.messages))}]".encode())
        digest.update((request.schema or "").encode())
        return digest.hexdigest()


def _divided(message: Message) -> str:
    marks = ",".join(map(_mark, message.parts))
    return f'["{message.role}",[{marks}]]'


def _mark(part: Part) -> str:
    if isinstance(part, FilePart):
        return canonical([0, part.cache, part.sha256, part.media_type, part.name])
    return f"[{len(part.text)},{'true' if part.cache else 'false'}]"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, normalised over vendors; `cost` in US dollars where it is known.

    `input` is all that the model read: `cache_read` and `cache_write` are parts of it. `output` is
    all that it wrote: `reasoning` is a part of it.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    cost: float = 0.0

    def to_data(self) -> dict[str, Json]:
        """Only what is not zero."""
        counts = (
            ("input", self.input),
            ("output", self.output),
            ("cache_read", self.cache_read),
            ("cache_write", self.cache_write),
            ("reasoning", self.reasoning),
            ("cost", self.cost),
        )
        return {name: count for name, count in counts if count}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try inside a call that failed: `error` in few words, the HTTP `status`, the pause after it.

    `model` is named where a call may reach several.
    """

    error: str
    status: int | None = None
    waited_s: float = 0.0
    model: str = ""

    def to_data(self) -> dict[str, Json]:
        """Only what is known."""
        data: dict[str, Json] = {"error": self.error}
        if self.status is not None:
            data["status"] = self.status
        if self.waited_s:
            data["waited_s"] = round(self.waited_s, 3)
        return data | {"model": self.model} if self.model else data


@dataclass(frozen=True, slots=True)
class ModelReply:
    """The raw text of a reply and what it cost. `attempts`: the tries that failed before it.

    The text of a `refused` reply is what the vendor said.
    """

    text: str
    finish: Finish = "end"
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    latency_s: float = 0.0
    attempts: tuple[Attempt, ...] = ()


class Model(Protocol):
    """One call to a model. A `ConfigurationError` parks the thread; whatever else it raises becomes
    a counted `model_failed` event.

    A model that sends a body of JSON has `body(request)` too: that very body, made without I/O.
    """

    async def __call__(self, request: ModelRequest) -> ModelReply: ...


def models_of(default: Model | None, models: Mapping[str, Model] | None) -> dict[str, Model]:
    """Models by name, the default first. Raises `ConfigurationError` for what is no model."""
    found = ({} if default is None else {DEFAULT: default}) | dict(models or {})
    for name, model in found.items():
        if isinstance(model, type) or not callable(model):
            raise ConfigurationError(
                f"The model {name!r} is {model!r}, which cannot be asked: pass a model, such as"
                ' OpenAIModel("gpt-5").'
            )
    return found


DEFAULT = "default"


def default_name(models: Mapping[str, Model]) -> str:
    """What the model is called that is asked where none is named: as the application calls it, or
    else its vendor."""
    name = next(iter(models), DEFAULT)
    return name_of(models[name]) if name == DEFAULT and models else name


def name_of(model: object) -> str:
    """The vendor's name of a model, also when another one is around it; a function's own."""
    inner = getattr(model, "model", None)
    if inner is None:
        return getattr(model, "__name__", type(model).__name__)
    return inner if isinstance(inner, str) else name_of(inner)


def model_named(models: Mapping[str, Model], name: str | None) -> Model:
    """The model of this name, or the first without one. Raises `ConfigurationError`."""
    if not models:
        raise ConfigurationError("The application has no model to ask: App([...], model=...).")
    if name is None:
        return next(iter(models.values()))
    if name not in models:
        known = ", ".join(models)
        raise ConfigurationError(f"The application has no model {name!r}; it has: {known}.")
    return models[name]
