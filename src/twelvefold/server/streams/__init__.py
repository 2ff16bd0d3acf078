"""Event streams: one look at the store for everybody who reads, and server-sent events."""
