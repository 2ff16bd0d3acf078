"""Every store under the contract of requests that may come twice."""

from contracts.repeats import *  # noqa: F403
from contracts.test_stores import store as store
