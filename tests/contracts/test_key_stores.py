"""Every store under the contract of keys."""

from contracts.keys import *  # noqa: F403
from contracts.test_stores import store as store
