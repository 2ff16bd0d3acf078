"""Who comes in. Everything here fails closed."""

from twelvefold.server.access.loopback import Loopback as Loopback
