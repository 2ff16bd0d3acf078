"""The application, an agent or a setting is wrong."""

from twelvefold.exceptions.root import TwelvefoldError


class ConfigurationError(TwelvefoldError):
    """The application, an agent or a setting is wrong. The message names the line to change."""


class NoApplication(ConfigurationError):
    """There is no application here. Make one with `twelvefold new`, or name yours with `--app`."""


class UnknownAgent(ConfigurationError):
    """The application has no such agent. Add it to `App(agents=...)`; the thread waits."""

    def __init__(self, message: str, *, agent: str = "") -> None:
        super().__init__(message)
        self.agent = agent


class NotRecorded(ConfigurationError):
    """No recorded reply to this request. The message shows what differs: record anew, or undo."""


class InvalidSteps(ConfigurationError):
    """A union of steps breaks a rule. Rename the intent, or give it a literal with a default."""


class UnusableModel(ConfigurationError):
    """A vendor does not serve this application: no package, no key, no such model, no credit. Do
    what the message says, then `twelvefold retry` the thread."""


class SchemaRefused(ConfigurationError):
    """This provider cannot be told this schema: change the field named, or use another `mode`."""


class ToolRefused(ConfigurationError):
    """A tool of an MCP server may not be offered as it is: not listed, not accepted, changed since,
    or not to be said as a step. Accept it, or take it off the list; the message says which."""


class BudgetTooSmall(ConfigurationError):
    """What always stays in a context exceeds its tokens. Raise `tokens_max`, or shorten events."""


class NotWritable(ConfigurationError):
    """The disk or its rights refuse a file. Name another folder, or change who may write there."""


class NotMigrated(ConfigurationError):
    """The database has no schema yet, or an older one. `command` makes it, once; None where ours
    cannot."""

    def __init__(self, said: str, *, command: str | None = "twelvefold db migrate") -> None:
        super().__init__(said)
        self.command = command
