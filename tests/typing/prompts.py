"""What may render a thread for a prompt, and what may be asked with it."""

from twelvefold import AskModel, Prompt, Step, Thread, render
from twelvefold.context import Renderer, render_json, render_message
from twelvefold.messages import Message
from twelvefold.prompts import Raw, written


class Done(Step):
    pass


def mine(thread: Thread) -> str | Message:
    return render(thread) if thread.head < 10 else render_message(thread)


prompts = [
    Prompt("next_step.md"),
    *(Prompt("next_step.md", context=context) for context in (render, render_json)),
    Prompt("next_step.md", context=render_message),
    Prompt("next_step.md", context=Renderer()),
    Prompt("next_step.md", context=Renderer().message),
    Prompt("next_step.md", context=mine),
]


def ask(thread: Thread) -> AskModel[Done]:
    return AskModel(prompts[0](thread=thread, rules=Raw("<b>") + "text"), Done)


text: str = written(prompts[0].messages(rules=Raw("<b>")))
