"""The engine for several workers: Procrastinate's jobs in the database of the log."""

from twelvefold.engine.procrastinate.engine import ProcrastinateEngine as ProcrastinateEngine
from twelvefold.engine.procrastinate.schema import expect_schema as expect_schema
from twelvefold.engine.procrastinate.schema import migrate as migrate
from twelvefold.engine.procrastinate.schema import script as script
from twelvefold.engine.procrastinate.timing import STALL_S as STALL_S
from twelvefold.engine.procrastinate.timing import Timing as Timing
from twelvefold.engine.procrastinate.wakes import JobWakes as JobWakes
