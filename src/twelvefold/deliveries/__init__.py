"""What is to be sent to people, and what became of it. Pure.

The log is the outbox: what has to go out is an open contact, or a text that was told, without a
`contact_sent` for somebody it is for. A timer in the transaction that asked wakes whoever sends, so
a crash delays a message and never loses the question. What a channel gets may come twice, under one
key.
"""

from twelvefold.deliveries.backlog import Backlog as Backlog
from twelvefold.deliveries.backlog import backlogs as backlogs
from twelvefold.deliveries.closing import closings as closings
from twelvefold.deliveries.facts import not_sent as not_sent
from twelvefold.deliveries.facts import sent as sent
from twelvefold.deliveries.outbox import pending as pending
from twelvefold.deliveries.outbox import recipients as recipients
from twelvefold.deliveries.records import PAUSE_FIRST as PAUSE_FIRST
from twelvefold.deliveries.records import PAUSE_MAX as PAUSE_MAX
from twelvefold.deliveries.records import RECIPIENTS_MAX as RECIPIENTS_MAX
from twelvefold.deliveries.records import SENDS_MAX as SENDS_MAX
from twelvefold.deliveries.records import Channel as Channel
from twelvefold.deliveries.records import Closing as Closing
from twelvefold.deliveries.records import Delivery as Delivery
from twelvefold.deliveries.records import Recipient as Recipient
from twelvefold.deliveries.records import checked as checked
from twelvefold.deliveries.timers import about_of as about_of
from twelvefold.deliveries.timers import timer_of as timer_of
from twelvefold.deliveries.timers import timers_of as timers_of
