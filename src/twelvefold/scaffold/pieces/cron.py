"""What begins by itself. Each slot of a schedule is one thread, also when nobody was there to begin
it: then `missed` says what becomes of it.

This file is yours: `twelvefold add cron` wrote it once. `twelvefold worker` launches what is due,
and `twelvefold doctor` names the next slots.
"""

from twelvefold.schedules import Schedule

ZONE = "Europe/Berlin"  # as the IANA database calls it; its summer time counts


def schedules(*, agent: str) -> list[Schedule]:
    """`agent`: who is given the text, as the first message of a new thread."""
    return [
        Schedule(
            "every_workday",
            agent,
            "0 9 * * 1-5",  # minute, hour, day of the month, month, day of the week
            "Look what is new, and tell us.",
            zone=ZONE,
            missed="run_once",  # or "skip"
        ),
    ]
