"""What people are told of a contact: one record, written for a terminal, mail, HTML and Slack.

The words come from the stored arguments, not from a model; a model's own words are quoted as such.
Whatever is written is made visible first: no escape sequence, direction mark or invisible character
of any data reaches a person. Nothing is cut without saying so.
"""

from twelvefold.notices.html import as_html
from twelvefold.notices.lines import GUTTER, argument_lines, as_lines, quoted_where_needed
from twelvefold.notices.mrkdwn import SECTION_CHARS_MAX, SECTIONS_MAX, Sections, as_mrkdwn
from twelvefold.notices.notice import WHY, Notice, ago, left, messages_since, notice_of, sender_of
from twelvefold.notices.troubles import troubles
from twelvefold.notices.visible import visible

__all__ = [
    "GUTTER",
    "SECTIONS_MAX",
    "SECTION_CHARS_MAX",
    "WHY",
    "Notice",
    "Sections",
    "ago",
    "argument_lines",
    "as_html",
    "as_lines",
    "as_mrkdwn",
    "left",
    "messages_since",
    "notice_of",
    "quoted_where_needed",
    "sender_of",
    "troubles",
    "visible",
]
