"""advance and its acts: the only place where decisions meet I/O."""

from twelvefold.loop.acts import act as act
from twelvefold.loop.advance import DECISIONS_MAX as DECISIONS_MAX
from twelvefold.loop.advance import advance as advance
from twelvefold.loop.delivering import deliver as deliver
from twelvefold.loop.engines import Engine as Engine
from twelvefold.loop.engines import Holds as Holds
from twelvefold.loop.engines import Stats as Stats
from twelvefold.loop.engines import lag_s as lag_s
from twelvefold.loop.engines import waiting_s as waiting_s
from twelvefold.loop.facts import record as record
from twelvefold.loop.firing import arm as arm
from twelvefold.loop.firing import fire_due as fire_due
from twelvefold.loop.not_ours import NotOurs as NotOurs
from twelvefold.loop.observing import Observer as Observer
from twelvefold.loop.observing import Observers as Observers
from twelvefold.loop.observing import Seen as Seen
from twelvefold.loop.stops import Bell as Bell
from twelvefold.loop.stops import Stop as Stop
from twelvefold.loop.surroundings import STOP_GRACE_S as STOP_GRACE_S
from twelvefold.loop.surroundings import Surroundings as Surroundings
from twelvefold.loop.surroundings import utc_now as utc_now
from twelvefold.loop.watch import Watch as Watch
