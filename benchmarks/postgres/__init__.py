"""The same work on Postgres: by hand with psycopg, and by twelvefold in one process."""
