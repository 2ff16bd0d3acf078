"""Fakes and proofs for tests of agents: stores, models and channels that need nothing outside."""

from twelvefold.testing.memory import MemoryStore

__all__ = ["MemoryStore"]
