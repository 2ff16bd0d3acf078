"""Whether the words around an action say that it is the step, or only speak of it.

Structure first, in any language: an action that is quoted, a part of something larger, or in the
middle of a sentence is spoken of. Then a closed list of English words in the clause that leads to
it, or in what follows. Whatever the words are, they can only refuse: a wrong refusal costs a turn.
"""

import re

PROSE_CHARS_MAX = 400

_MARKUP = re.compile(r"(?:[\s*_#>:,;.!`~-]|\d{1,2}[.)]|</?\w{1,60}>|[}\])])*+")
_WORDS = re.compile(r"[^\W\d_]{2}")
_FRAGMENT = re.compile(r"[\"'`]\s*+[:=,]\s*+\Z")
_SENTENCES = re.compile(r"[.!?]\s|\n\s*\n")
_SHORT = re.compile(r"\b[ei]\.\s?[ge]\.", re.IGNORECASE)
_CLAUSES = re.compile(r"[,;]\s|\s[\u2013\u2014-]\s|\b(?:so|but|therefore|hence|thus|then)\b")
_EXAMPLE = re.compile(
    r"\b(?:for example|for instance|examples?|hypothetical\w*|suppose|imagine|template"
    r"|error|errors|exception|traceback|invalid|failed|rejected|denied|HTTP \d{3})\b"
    r"|^\W*(?:user|human|customer|system|tool|tool result|observation|input|email|e-mail|mail)\W*:",
    re.IGNORECASE,
)
_SPOKEN_OF = re.compile(
    r"\b(?:could|might|would|may|perhaps|maybe|possibly|if|unless|until|like|such as"
    r"|previous\w*|earlier|last time|wrong|incorrect\w*|bad|says?|said|writes?|wrote|reads"
    r"|states?|stated|contains?|quotes?|quoted|quoting"
    r"|asks?|asked|tells?|told|wants?|wanted|requests?|requested|suggest\w*|replied|claims?"
    r"|not|never|cannot|avoid|instead of|rather than|refuse|reject|decline|against|without|ignore"
    r"|considered|thought about|tempted)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_INTENTION = re.compile(
    r"\b(?:would|['\u2019]d) (?:like|love|prefer|want) to\b|\bnot only\b", re.IGNORECASE
)
_ASKING = re.compile(
    r"\b(?:should|shall|may|can|could|do you want|would you like)\b.*\b(?:i|we|me)\b", re.IGNORECASE
)
_TAKEN_BACK = re.compile(
    r"\b(?:actually|wait|scratch that|on second thoughts?|never ?mind|disregard|not yet"
    r"|just kidding|ignore (?:that|this|the above)|don['\u2019]t (?:run|execute|do|use|send)"
    r"|do not (?:run|execute|do|use|send)|instead|correction|sorry|mistake|hold on|no,)\b",
    re.IGNORECASE,
)


def doubt(text: str, start: int, end: int, *, since: int, until: int, fenced: bool) -> str:
    """Why what stands at `start` to `end` is not clearly the step; empty when it is.

    `since` and `until` are where the words around it begin and end.
    """
    before = text[max(since, start - PROSE_CHARS_MAX) : start]
    after = text[end : min(until, end + PROSE_CHARS_MAX)]
    if not before.strip() and not after.strip():
        return ""
    return (
        ("" if fenced else _structure(before, after))
        or _leading(before)
        or _following(after, before)
    )


def _structure(before: str, after: str) -> str:
    if before.endswith(("'", '"', "\u201c", "\u2018", "\u00ab")):
        return "it stands in quotes"
    if before.rstrip()[-1:] == "(":
        return "it stands in parentheses"
    if _FRAGMENT.search(before):
        return "it is a part of something larger"
    line = after.partition("\n")[0]
    markup = _MARKUP.match(line)
    rest = line[markup.end() :] if markup else line
    if any(char in rest for char in '"{}[]'):
        return "what follows it is broken JSON"
    if _WORDS.search(before.rpartition("\n")[2]) and _WORDS.search(rest):
        return "it stands in the middle of a sentence"
    return ""


def _leading(before: str) -> str:
    """What the sentence right before says."""
    paragraph = _SHORT.sub("for example", before.rstrip().rstrip("`~").rstrip())
    sentence = _SENTENCES.split(paragraph)[-1]
    if paragraph.endswith("?") or _ASKING.search(sentence):
        return "it is part of a question"
    clause = _INTENTION.sub("", _CLAUSES.split(sentence.rstrip(" ,;:"))[-1])
    if _EXAMPLE.search(sentence) or _SPOKEN_OF.search(clause):
        return "the words before it only speak of it"
    return ""


def _following(after: str, before: str) -> str:
    line = after.partition("\n")[0]
    if line.lstrip(" `*_~}])")[:1] == "?":
        return "it is part of a question"
    if _WORDS.search(line) and (_SPOKEN_OF.search(line) or _EXAMPLE.search(line)):
        return "the words after it only speak of it"
    return "the words after it take it back" if _TAKEN_BACK.search(after) else ""
