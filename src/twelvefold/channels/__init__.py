"""Channels: where people are asked and answer. One file each."""
