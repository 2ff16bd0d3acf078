"""Workers whose clocks jump by more than a year: nothing expires early, and nothing stays."""

import random
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from crewing import Crew, crew
from faults import compiled, jumping, needs_compiler
from reporting import Report, twice
from working import NAP, WITHIN

STALL_S = 1.0
DAYS_400_S = 400 * 86_400
ROUNDS, ROUNDS_LONG = 1, 20
EARLIEST_S = {"nap": NAP.total_seconds(), "ask": 2 * WITHIN.total_seconds()}
EACH = 2

pytestmark = needs_compiler


class Skewed:
    """A crew of two, each with a clock of its own."""

    def __init__(self, two: Crew, folder: Path, seed: int) -> None:
        self.two, self.chance = two, random.Random(seed)
        self.clocks = [folder / "clock-0", folder / "clock-1"]
        library = compiled(folder)
        for clock in self.clocks:
            self.jump(clock)
            two.start(jumping(library, clock))
        two.until(lambda: two.app.new_engine().stats().workers == len(self.clocks))

    def jump(self, clock: Path) -> None:
        new = clock.with_suffix(".new")
        new.write_text(str(self.chance.choice([0, -DAYS_400_S, DAYS_400_S])))
        new.replace(clock)  # at once: it is read at any time

    def round(self, number: int, proof: Report) -> None:
        """Threads that wait while the clocks jump; when each was seen to have ended."""
        names = {f"{how}-{number}-{n}": how for how in EARLIEST_S for n in range(EACH)}
        began, ended_s = time.monotonic(), dict[str, float]()
        for name, how in names.items():
            self.two.launch(how, name)

        def all_ended() -> bool:
            self.jump(self.chance.choice(self.clocks))
            for name in names.keys() - ended_s.keys():
                if self.two.status(name) == "finished":
                    ended_s[name] = time.monotonic() - began
            return len(ended_s) == len(names)

        self.two.until(all_ended)
        early = [name for name, how in names.items() if ended_s[name] < EARLIEST_S[how]]
        fired = [f"{name} {timer}" for name in names for timer in self._fired(name)]
        proof.add(runs=len(names), lost=len(early), duplicated=twice(fired))
        assert early == []
        assert twice(fired) == 0

    def _fired(self, name: str) -> list[str]:
        events = self.two.app.thread(name).events
        return [str(event.data["timer"]) for event in events if event.type == "timer_fired"]


def jump_about(url: str, folder: Path, rounds: int, proof: Report) -> None:
    with ExitStack() as stack:
        two = stack.enter_context(crew(url, folder, stall_s=STALL_S, workers=0))
        skewed = Skewed(two, folder, rounds)
        for number in range(rounds):
            skewed.round(number, proof)
        proof.note(f"{rounds} rounds of naps and deadlines under clocks that jump by 400 days")


def test_no_deadline_comes_early_when_the_clocks_of_workers_jump(
    postgres_url: str, tmp_path: Path, proof: Report
) -> None:
    jump_about(postgres_url, tmp_path, ROUNDS, proof)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_none_comes_early_in_many_rounds(postgres_url: str, tmp_path: Path, proof: Report) -> None:
    jump_about(postgres_url, tmp_path, ROUNDS_LONG, proof)
