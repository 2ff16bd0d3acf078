"""Code that becomes the user's: new projects, pieces to add, modules to eject.

What is written is plain text, planned first, shown on request, then written whole or not at all.
"""
