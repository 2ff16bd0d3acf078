"""advance and its acts: the only place where decisions meet I/O."""

from twelvefold.loop.acts import Surroundings as Surroundings
from twelvefold.loop.acts import act as act
from twelvefold.loop.acts import utc_now as utc_now
from twelvefold.loop.advance import DECISIONS_MAX as DECISIONS_MAX
from twelvefold.loop.advance import Bell as Bell
from twelvefold.loop.advance import advance as advance
from twelvefold.loop.advance import record as record
