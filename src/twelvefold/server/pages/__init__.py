"""The web inbox: pages that work without JavaScript, and better with it."""
