"""Who calls advance, and when. The log is the truth; an engine is only a wake-up signal."""
