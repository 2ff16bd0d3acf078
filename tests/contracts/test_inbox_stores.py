"""The inbox of every store under the contract of all."""

from contracts.inbox import *  # noqa: F403
from contracts.test_stores import store as store
