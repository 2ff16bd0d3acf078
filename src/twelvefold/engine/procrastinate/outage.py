"""What is said of a server that does not answer: each thing once, and that it is over."""

import logging

log = logging.getLogger("twelvefold")


class Outage:
    """Six loops meet it, and each of them twice a second: their log would be nothing else."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, error: Exception) -> None:
        said = str(error)
        if said not in self._said:
            self._said.add(said)
            log.warning("%s", said)

    def is_over(self) -> None:
        """The server has answered."""
        if self._said:
            self._said.clear()
            log.warning("the queue answers again, and the work goes on")
