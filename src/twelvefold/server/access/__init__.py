"""Who comes in. Everything here fails closed: what is not proven is refused.

Import from here only what composes a server; `Entrance` is what it becomes.
"""

from twelvefold.server.access.around import Way as Way
from twelvefold.server.access.entrance import AnyOf as AnyOf
from twelvefold.server.access.entrance import Entrance as Entrance
from twelvefold.server.access.entrance import any_of as any_of
from twelvefold.server.access.keys import Keys as Keys
from twelvefold.server.access.loopback import Loopback as Loopback
from twelvefold.server.access.proxy import TrustedProxy as TrustedProxy
from twelvefold.server.access.rates import Rates as Rates
from twelvefold.server.access.tokens import one_time_path as one_time_path
from twelvefold.server.access.visits import Visits as Visits
