"""What a fuzzer of the API cannot know; `SCHEMATHESIS_HOOKS=fuzz_hooks` loads it."""

import hashlib
import re
from typing import Any

import schemathesis
from schemathesis.engine import outage

# A connection that uvicorn resets, for a header that is none, is followed by the question whether
# the server is there at all. On a machine that is busy the answer takes longer than a second.
outage.CONFIRMATION_TIMEOUT = 30.0

KEY = "idempotency-key"
KEY_CHARS_MAX = 255
VISIBLE = re.compile("[!-~]+")


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """A launch names an agent: a name that is drawn would never be one."""
    if context.operation.path == "/v1/threads" and isinstance(body, dict):
        fields: dict[str, Any] = body
        if isinstance(fields.get("agent"), str):
            fields["agent"] = "deploybot"
    return body


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """One key is for one request: drawn ones are short, and would soon meet another body."""
    headers = case.headers or {}
    key = headers.get(KEY)
    if isinstance(key, str) and 0 < len(key) <= KEY_CHARS_MAX and VISIBLE.fullmatch(key):
        asked = f"{case.method} {case.formatted_path} {case.query} {case.body!r}"
        digest = hashlib.sha256(asked.encode(errors="replace")).hexdigest()
        headers[KEY] = (digest + key)[:KEY_CHARS_MAX]
