"""Models: one file per vendor, and `scripted`, which needs none."""
