"""A Postgres server for one run, from the binaries that the tests use.

`python -m benchmarks.postgres.server` prints its URL and what it is, or why there is none, and
keeps it up until standard input ends. It is durable as a server is by default: fsync and
full_page_writes are on.
"""

import json
import os
import sys
from pathlib import Path

TESTS = Path(__file__).parents[2] / "tests"

SHOWN = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")


def main() -> None:
    sys.path.append(str(TESTS))
    from postgres.cluster import GIVEN, NoPostgres, cluster, execute

    try:
        with cluster() as found, found.durable():
            if GIVEN not in os.environ:
                execute(found.url, "alter system set full_page_writes = on")
                execute(found.url, "select pg_reload_conf()")
            print(json.dumps({"url": found.url, "about": _about(found.url)}), flush=True)
            sys.stdin.read()
    except NoPostgres as missing:
        sys.exit(f"no Postgres: {missing}")


def _about(url: str) -> str:
    import psycopg

    with psycopg.connect(url) as db:
        shown = [db.execute(f"show {name}").fetchone() for name in SHOWN]
    pairs = zip(SHOWN, (row[0] if row else "" for row in shown), strict=True)
    return ", ".join(f"{name} {value}" for name, value in pairs)


if __name__ == "__main__":
    main()
