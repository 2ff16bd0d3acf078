"""Whether the words around an action say that it is the step, or only speak of it.

- Structure, in any language: what is quoted, commented out, one of several items, a part of
  something larger or in the middle of a sentence is spoken of.
- Words that run into it must introduce it ("The next step is:", "I'll run this:"), and those that
  follow on its line must say that it was the step. A whole sentence before it may say anything, but
  not that this, it or the following is an example, somebody's wish or wrong.
- Nothing after it may take it back.

The words are closed lists, English first. They can only refuse: what is refused wrongly costs a
turn. With a list of words that forbid alone, "Skip:" would run what is to be skipped.
"""

import re

from twelvefold.tools.wording import (
    AFTERWARDS,
    ASKING,
    EXAMPLE,
    HARMLESS,
    INTRODUCING,
    POINTING,
    SPOKEN_OF,
    TAKEN_BACK,
)

PROSE_CHARS_MAX = 400

_MARKUP = re.compile(r"(?:[\s*_#>:,;.!`~\-]|\d{1,2}[.)]|</?[\w:.-]{1,60}>|[}\])]|」|』)*+")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_SIGNS = re.compile(r"</?[\w:.-]{1,60}>|<\|[\w:.-]{1,60}\|>|\[/?[A-Z_]{3,30}\]")
_FRAGMENT = re.compile(r"[\"'`]\s*+[:=,]\s*+\Z")
_COMMENT = re.compile(r"(?://|#|/\*|<!--|--|%)[ \t]*+\Z")
_ITEM = re.compile(r"(?:\A|\n)[ \t]*+(?:[-*+•]|\d{1,2}[.)])[ \t]")
_SENTENCES = re.compile(r"[.!?\u3002\uff01\uff1f]\s|\n\s*\n|\n(?=[ \t]*+(?:[-*+•#]|\d{1,2}[.)]))")
_CLAUSES = re.compile(r"[,;]\s|\s[\u2013\u2014-]\s|\b(?:so|but|therefore|hence|thus|then)\b")
_QUOTES = ("'", '"', "\u201c", "\u2018", "\u00ab")


def doubt(text: str, start: int, end: int, *, since: int, until: int, fenced: bool) -> str:
    """Why what stands at `start` to `end` is not clearly the step; empty when it is.

    `since` and `until` are where the words around it begin and end.
    """
    before = text[max(since, start - PROSE_CHARS_MAX) : start]
    after = text[end : min(until, end + PROSE_CHARS_MAX)]
    if not before.strip() and not after.strip():
        return ""
    structure = "" if fenced else _structure(before, after)
    return structure or _leading(before) or _following(after, fenced=fenced)


def _structure(before: str, after: str) -> str:
    line = before.rpartition("\n")[2]
    if before.endswith(_QUOTES):
        return "it stands in quotes"
    if before.rstrip().endswith("("):
        return "it stands in parentheses"
    if _FRAGMENT.search(before):
        return "it is a part of something larger"
    if _COMMENT.search(line):
        return "it is commented out"
    if _ITEM.match(line) and (_ITEM.search(after) or _ITEM.search(before[: -len(line)])):
        return "it is one of several items"
    rest = _rest(after)
    if any(char in rest for char in '"{}[]'):
        return "what follows it is broken JSON"
    if _LETTERS.search(_SIGNS.sub("", line)) and _LETTERS.search(rest):
        return "it stands in the middle of a sentence"
    return ""


def _rest(after: str) -> str:
    """What follows on the same line, without marks that say nothing."""
    line = after.partition("\n")[0]
    found = _MARKUP.match(line)
    return line[found.end() :] if found else line


def _leading(before: str) -> str:
    """What the sentence right before says."""
    words = _SIGNS.sub("", before).rstrip().rstrip("`~*_").rstrip()
    sentence = HARMLESS.sub("", _SENTENCES.split(words)[-1])
    if not _LETTERS.search(sentence):
        return ""
    if words.endswith(("?", "\uff1f")) or ASKING.search(sentence):
        return "it is part of a question"
    ended = words.endswith((".", "!", "\u3002", "\uff01"))
    clause = _CLAUSES.split(sentence.rstrip(" ,;:\uff1a"))[-1]
    spoken_of = SPOKEN_OF.search(clause) and (not ended or POINTING.search(sentence))
    if EXAMPLE.search(sentence) or spoken_of:
        return "the words before it only speak of it"
    if not ended and not INTRODUCING.search(sentence):
        return "the words before it do not say that it is the step"
    return ""


def _following(after: str, *, fenced: bool) -> str:
    line = after.partition("\n")[0]
    if line.lstrip(" `*_~}])")[:1] == "?":
        return "it is part of a question"
    rest = "" if fenced else _SIGNS.sub("", _rest(after))
    if _LETTERS.search(rest) and not AFTERWARDS.match(rest):
        return "the words after it do not say that it is the step"
    return "the words after it take it back" if TAKEN_BACK.search(after) else ""
