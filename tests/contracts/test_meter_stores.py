"""Every store under the contract of meters."""

from contracts.meters import *  # noqa: F403
from contracts.test_stores import store as store
