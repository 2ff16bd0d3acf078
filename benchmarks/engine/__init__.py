"""Several workers through the Procrastinate engine, as processes of their own, on Postgres."""
