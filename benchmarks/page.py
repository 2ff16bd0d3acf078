"""`python -m benchmarks.page` puts the newest figures into docs/performance.md, between marks.

A mark is `<!-- figures: NAME -->`, and its end `<!-- end -->`; what was not measured is left.
"""

import json
import re
from pathlib import Path
from textwrap import wrap
from typing import Any

from benchmarks import table
from benchmarks.peers.__main__ import markdown

PAGE = Path("docs/performance.md")
BUILD = Path("build")
WIDTH = 128
BUSY = 3.0
"""A load above it, on two cores, is others' work: the bench itself has two processes at most."""
FILES = {"bench": "bench.json", "scale": "bench-scale.json", "peers": "bench-peers.json"}


def main() -> None:
    text = PAGE.read_text()
    for name, file in FILES.items():
        if (BUILD / file).exists():
            text = filled(text, name, json.loads((BUILD / file).read_text()))
            print(f"{PAGE}: {name} from {BUILD / file}")
    PAGE.write_text(text)


def filled(text: str, name: str, report: dict[str, Any]) -> str:
    """The page with this report between its marks."""
    marks = re.compile(rf"(<!-- figures: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    assert marks.search(text), f"the page has no place for {name}"
    rows = markdown(report) if name == "peers" else table.markdown(report["rows"])
    said = "\n".join(wrap(taken(report), WIDTH))
    block = f"{said}\n\n{rows}\n\n"
    return marks.sub(lambda found: found[1] + block + found[2], text)


def taken(report: dict[str, Any]) -> str:
    """Where and when, in a sentence or two."""
    said = (
        f"{report['taken_at']}, commit `{report['commit']}`, medians of up to {report['rounds']}"
        f" rounds; {report['machine']}; Python {report['python']}, SQLite {report['sqlite']}."
        f" Load before {report['load_before']}, after {report['load_after']}."
    )
    if max(float(report["load_before"]), float(report["load_after"])) > BUSY:
        said += " **The machine was busy with others: trust counts and bytes, not times.**"
    if "postgres" in report:
        said += f" Postgres: {report['postgres']}."
    if "versions" in report:
        said += " Peers: " + "; ".join(report["versions"].values()) + "."
    return said


if __name__ == "__main__":
    main()
