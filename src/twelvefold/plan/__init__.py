"""Pure planning: what an effect begins, what recovery adds, what a timer means, and replay."""

from twelvefold.plan.alarms import alarms as alarms
from twelvefold.plan.alarms import sends as sends
from twelvefold.plan.alarms import waits as waits
from twelvefold.plan.begin import begin as begin
from twelvefold.plan.ending import close_all as close_all
from twelvefold.plan.ending import report_to_parent as report_to_parent
from twelvefold.plan.firing import fire as fire
from twelvefold.plan.outgrown import outgrown as outgrown
from twelvefold.plan.parts import Act as Act
from twelvefold.plan.parts import CallModel as CallModel
from twelvefold.plan.parts import CallTool as CallTool
from twelvefold.plan.parts import Plan as Plan
from twelvefold.plan.parts import Reconcile as Reconcile
from twelvefold.plan.parts import sleep_timer as sleep_timer
from twelvefold.plan.recover import recover as recover
from twelvefold.plan.replay import Difference as Difference
from twelvefold.plan.replay import replay as replay
from twelvefold.plan.replies import REFUSALS as REFUSALS
from twelvefold.plan.replies import is_reply as is_reply
from twelvefold.plan.replies import reply_draft as reply_draft
from twelvefold.plan.replies import reply_key as reply_key
from twelvefold.plan.wrong import no_effect as no_effect
from twelvefold.plan.wrong import why_parked as why_parked
