"""What tests of the command line share: the applications, and how one command ended.

Not in conftest.py: in a run of several folders, that name is the one of another folder.
"""

from collections.abc import Callable
from pathlib import Path

from ran import Ran as Ran

APPS = Path(__file__).parent / "apps"


Cli = Callable[..., Ran]
