"""Threads as files: read one back, compare two, change what a fork may change, write for people.

Pure: what is read is text, and what is returned is drafts and text.
"""

from twelvefold.files.comparing import Diff as Diff
from twelvefold.files.comparing import Row as Row
from twelvefold.files.comparing import diff as diff
from twelvefold.files.comparing import facts as facts
from twelvefold.files.editing import Changes as Changes
from twelvefold.files.editing import changes_in as changes_in
from twelvefold.files.editing import editable as editable
from twelvefold.files.editing import edited as edited
from twelvefold.files.importing import NOTHING_IMPORTED as NOTHING_IMPORTED
from twelvefold.files.importing import import_thread as import_thread
from twelvefold.files.importing import read_lines as read_lines
from twelvefold.files.markdown import markdown as markdown
