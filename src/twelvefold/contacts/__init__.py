"""The contract with humans: what is asked, and what an answer may change. Pure.

A contact ends exactly once (`closed:<contact>` is its key). A yes is bound to the digest that was
shown. An answer that is stale, second, foreign or late changes nothing, and says so.
"""

from twelvefold.contacts.answers import ACCEPTED as ACCEPTED
from twelvefold.contacts.answers import Answer as Answer
from twelvefold.contacts.answers import Decision as Decision
from twelvefold.contacts.answers import Verdict as Verdict
from twelvefold.contacts.asking import close as close
from twelvefold.contacts.asking import expiry_timer as expiry_timer
from twelvefold.contacts.asking import first_timers as first_timers
from twelvefold.contacts.asking import remind_timer as remind_timer
from twelvefold.contacts.asking import request as request
from twelvefold.contacts.asking import timers_of as timers_of
from twelvefold.contacts.escalating import Escalation as Escalation
from twelvefold.contacts.escalating import escalate as escalate
from twelvefold.contacts.judging import contact_named as contact_named
from twelvefold.contacts.judging import judge as judge
from twelvefold.contacts.moving import EXPIRED as EXPIRED
from twelvefold.contacts.moving import MESSAGE_CAME as MESSAGE_CAME
from twelvefold.contacts.moving import REMINDERS_MAX as REMINDERS_MAX
from twelvefold.contacts.moving import deadline_timers as deadline_timers
from twelvefold.contacts.moving import expired as expired
from twelvefold.contacts.moving import is_withdrawn as is_withdrawn
from twelvefold.contacts.moving import next_reminder as next_reminder
from twelvefold.contacts.moving import reminded as reminded
from twelvefold.contacts.reassigning import Reassign as Reassign
from twelvefold.contacts.reassigning import reassign as reassign
from twelvefold.contacts.refusing import REFUSALS_RECORDED_MAX as REFUSALS_RECORDED_MAX
from twelvefold.contacts.refusing import ago as ago
from twelvefold.contacts.refusing import risk_now as risk_now
from twelvefold.contacts.standing import void_approval as void_approval
from twelvefold.contacts.terms import terms_of as terms_of
from twelvefold.contacts.values import accepted as accepted
