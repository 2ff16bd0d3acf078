"""A mail on standard input becomes a thread: what your mail server would call for each mail."""

import sys

from app import app
from mails import received

if __name__ == "__main__":
    print(app.sync.launch("mailcrew", channel="email", **received(sys.stdin.read())))
