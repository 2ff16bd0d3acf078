"""What stores in SQL databases share: the checks of an append, its rows, and what is derived.

Each store brings its statements under the same names, in the dialect of its database.
"""
