"""What much of it costs on Postgres: a million events, ten thousand threads that wait."""
