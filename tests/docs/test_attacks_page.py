"""The page of attacks lists every file, with the mutants that take its guards out."""

import tomllib

import pytest
from blocks import ROOT
from test_docs_complete import names, rows

PAGE = ROOT / "docs" / "attacks.md"
ATTACKS = ROOT / "tests" / "proof" / "attacks"
MUTANTS = tomllib.loads((ROOT / "tests/proof/ablation/attacks.toml").read_text())["mutant"]


def listed(text: str) -> list[tuple[str, list[str]]]:
    """Each file of the table, with its mutants."""
    table = [row for row in rows(text) if len(row) == 4 and names(row[1])]
    return [(file, names(row[3])) for row in table for file in names(row[1])]


def there() -> list[tuple[str, list[str]]]:
    files = sorted(path.name for path in ATTACKS.glob("test_*.py"))
    return [(file, [m["name"] for m in MUTANTS if attacked(m) == file]) for file in files]


def attacked(mutant: dict[str, str]) -> str:
    return mutant["attack"].partition(":")[0] + ".py"


def test_every_attack_is_listed_with_its_mutants() -> None:
    assert sorted(listed(PAGE.read_text(encoding="utf-8"))) == there()


@pytest.mark.parametrize("gone", ["test_a_forged_result.py", "`four eyes, editor`, "])
def test_an_attack_or_a_mutant_that_the_page_leaves_out_is_noticed(gone: str) -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert gone in text
    assert sorted(listed(text.replace(gone, ""))) != there()
