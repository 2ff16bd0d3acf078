"""`twelvefold demo`: the release pipeline from trigger to end, in this terminal.

Whoever sits there answers; a script, or nobody, gets the answers of `demo_answers.PAGE`.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from twelvefold.app import App
from twelvefold.app.names import new_thread_id
from twelvefold.cli.decision import CHANNEL, Given
from twelvefold.cli.demo_answers import PAGE, Answers, asked_at, parse_answers, scripted
from twelvefold.cli.demo_files import APP, STORE, copy_files
from twelvefold.cli.family import Family, Rest, rest_of, root_of
from twelvefold.cli.following import event_data, rest_data
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.cli.timeline import Timeline
from twelvefold.exceptions import InvalidAnswer
from twelvefold.loop import utc_now
from twelvefold.state import Chosen
from twelvefold.store import ContactRow
from twelvefold.summary import short

AGENT = "release"
TRIGGER = "deploy SHA 4af9ec0 to production"
PERSON = "anna"


@command("demo")
@click.option("--answers", metavar="LIST", help=f"What people say, such as '{PAGE}'.")
@click.option("--as", "person", metavar="NAME", default=PERSON, help="Who answers: anna or ben.")
@click.option("--kill", is_flag=True, help="Kill the process at each wait and around each effect.")
@click.pass_obj
def demo(here: Here, answers: str | None, person: str, kill: bool) -> int:
    """The deploybot, end to end: a copy of the release pipeline in ./twelvefold-demo."""
    given = None if answers is None else parse_answers(answers)
    for path in copy_files():
        here.out.say(f"{path} is kept as you changed it")
    here.app_name, here.store_name = f"{APP}:app", str(STORE)
    run, who = Run(here, person), _answers(here, given)
    if not kill:
        return run.end(run.play(run.go_on, who))
    from twelvefold.cli.demo_kill import Killed

    killed = Killed(run)
    waits_for = run.play(killed.go_on, who)
    return max(killed.report(), run.end(waits_for))


def _answers(here: Here, given: list[Given] | None) -> Answers:
    if given is None and here.terminal is not None:
        return asked_at(here.terminal)
    return scripted(parse_answers(PAGE) if given is None else given)


GoOn = Callable[[Given | None], None]
"""Take the thread as far as it goes, after this answer was given."""


class Run:
    """One run of the demo: a new thread, and what is shown of it and its children."""

    def __init__(self, here: Here, person: str) -> None:
        self.here, self.app, self.person = here, here.app, person
        self.thread_id = here.remember(new_thread_id(utc_now()))
        here.run(self.app.launch(AGENT, TRIGGER, thread_id=self.thread_id))
        self.family = Family(self.app.store, self.thread_id)
        self._timeline = Timeline(here.out, self.thread_id)

    @property
    def name(self) -> str:
        return short(self.thread_id)

    def play(self, go_on: GoOn, answers: Answers) -> ContactRow | None:
        """Alternate between the thread and the people until it ends; what nobody answered."""
        go_on(None)
        while True:
            self.show_news()
            row = self._open_contact()
            given = None if row is None else answers(row, self.app.thread(row.ref.id))
            if row is None or given is None:
                return row
            if self._takes(row, given):
                go_on(given)

    def go_on(self, given: Given | None) -> None:
        """Advance in this very process."""
        engine = self.here.run(self.app.run(until_idle=True, only=self.thread_id))
        for error in engine.errors.values():
            raise error

    def show_news(self) -> None:
        """A line for every event since the last call."""
        for thread, event in self.family.news():
            if self.here.json:
                self.here.out.document("event/1", **event_data(thread, event))
            else:
                self._timeline.add(thread.id, event)
        self._timeline.flush()

    def line(self, text: str = "", *, bold: bool = False) -> None:
        """A line for people."""
        if not self.here.json:
            self.here.out.line(text, bold=bold)

    def _takes(self, row: ContactRow, given: Given) -> bool:
        """Give the answer; False when whoever sits at the terminal has to give another one."""
        said: dict[str, Any] = asdict(given)
        said |= {"by": self.person, "channel": CHANNEL, "digest": row.data.get("digest")}
        try:
            self.here.run(self.app.answer(f"{row.ref.id}.{row.id}", **said))
        except InvalidAnswer as error:
            if self.here.terminal is None:
                raise
            self.line(f"  {error}")
            return False
        return True

    def _open_contact(self) -> ContactRow | None:
        rows = self.app.inbox()
        return next((row for row in rows if root_of(row.ref.id) == self.thread_id), None)

    def end(self, waits_for: ContactRow | None) -> int:
        """The timeline, how the thread rests, and what to type next; the exit code."""
        rest = rest_of(self.app.store, self.family.root)
        if self.here.json:
            self.here.out.document("rest/1", **rest_data(rest))
            return rest.exit_code
        self.line()
        self.line("timeline", bold=True)
        for text in self._steps():
            self.line(text)
        self.line()
        if waits_for is None:
            self.line(f"{rest.row.status} {short(rest.row.ref.id)}  {self._last_words(rest)}")
            self._say_next(f"threads show {self.name}", f"threads replay {self.name}")
        else:
            contact = f"{short(waits_for.ref.id)}.{waits_for.id}"
            people = waits_for.data["to"]["people"]
            self.line(f"paused  {contact} waits for {' or '.join(people)}")
            verb = "approve" if waits_for.data["kind"] == "approval" else "answer"
            text = "" if verb == "approve" else " TEXT"
            self._say_next(f"{verb} {contact}{text} --as {people[0]}")
        return rest.exit_code

    def _say_next(self, *commands: str) -> None:
        self.line(f"the log  {STORE}")
        self.line(f"the code {APP}  (yours: change it, and run the demo again)")
        self.line("next, in this folder:")
        self.line(f"  export TWELVEFOLD_APP={APP}:app TWELVEFOLD_STORE={STORE}")
        for words in (*commands, f"context show {self.name}"):
            self.line(f"  {_program()} {words}")

    def _steps(self) -> list[str]:
        """Each step of the family in the order of choice: when, who chose it, what became of it."""
        rows = [row for row in self.app.threads() if root_of(row.ref.id) == self.thread_id]
        steps = [step for row in rows for step in _steps(self.app, row.ref.id)]
        began = self.app.thread(self.thread_id).events[0].at
        return [_step_line(step, began) for step in sorted(steps, key=lambda step: step.at)]

    def _last_words(self, rest: Rest) -> str:
        events = reversed(self.app.thread(rest.row.ref.id).events)
        said = next((e.data["message"] for e in events if e.type == "finished"), "")
        return rest.row.summary.failed or str(said)


def _steps(app: App, thread_id: str) -> list[Chosen[Any]]:
    state = app.state(app.thread(thread_id))
    found: list[Chosen[Any]] = []
    while chosen := state.by_id(f"s{len(found) + 1}"):
        found.append(chosen)
    return found


def _step_line(chosen: Chosen[Any], began: datetime) -> str:
    args = ", ".join(str(value) for value in chosen.args.values())
    became = chosen.error or chosen.result or ""
    who = chosen.person or chosen.by
    after = f"+{(chosen.at - began).total_seconds():.1f}s"
    return f"  {after:>7}  {who:<6} {chosen.intent:<24} {args:<12} {became}".rstrip()


def _program() -> str:
    """This command as it may be typed again: `make demo` runs it from a folder not in PATH."""
    called = Path(sys.argv[0])
    found = shutil.which("twelvefold")
    if called.name != "twelvefold" or (found and Path(found).samefile(called)):
        return "twelvefold"
    path = os.path.relpath(called)
    return shlex.quote(str(called) if path.startswith("..") else path)
