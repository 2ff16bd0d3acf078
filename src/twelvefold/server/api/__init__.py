"""The HTTP API, one module per noun. Routes call the verbs of `App` and hold no rules of their own.

What a route answers is a TypedDict of `shapes`, written by `encoding.to_text`: what came in as a
lone surrogate has to come out as one.
"""
