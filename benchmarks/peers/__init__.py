"""The same work by others, each in a venv of its own, written as its documentation would.

A file is named after its peer and loads nothing of twelvefold. What is set, and why, is said in it.
"""
