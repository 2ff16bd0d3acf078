"""People, their roles and their addresses, as of one reading."""

from pathlib import Path
from typing import Any

import pytest

from twelvefold.directory import NAMES_ALONE, Directory, DirectoryFile, people_of
from twelvefold.exceptions import ConfigurationError

PEOPLE = """
people:
  anna: {roles: [ops, finance], addresses: {email: anna@example.com, slack: U1}}
  ben: {roles: [ops], active: false}
  cleo:
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.yaml"
    path.write_text(PEOPLE)
    return path


def test_a_file_says_who_is_who(file: Path):
    directory = DirectoryFile(file)("default")

    assert directory.members("ops") == {"anna"}
    assert directory.members("nobody") == frozenset()
    assert directory.addresses["anna"]["slack"] == "U1"
    assert [directory.knows(name) for name in ("anna", "ben", "cleo", "dan")] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("name", ["anna", "Anna", "ANNA@example.com", "u1"])
def test_names_and_addresses_are_one_person(file: Path, name: str):
    assert DirectoryFile(file)("default").person(name) == "anna"


def test_whoever_is_unknown_stands_for_herself(file: Path):
    assert DirectoryFile(file)("default").person("Zoe@example.com") == "Zoe@example.com"
    assert NAMES_ALONE.person("Anna") == "Anna"
    assert NAMES_ALONE.knows("Anna")


def test_a_role_names_people_in_any_of_their_ways():
    directory = Directory(
        roles={"ops": ["ANNA@example.com", "gone"]},
        addresses={"anna": {"email": "anna@example.com"}},
        people=["anna"],
    )

    assert directory.members("ops") == {"anna"}


def test_a_file_is_read_again_when_it_changed(file: Path):
    read = DirectoryFile(file)
    first, again = read("default"), read("acme")
    file.write_text(PEOPLE.replace("cleo", "dan"))

    assert again is first
    assert read("default").knows("dan")
    assert read("default").version != first.version


def test_an_event_keeps_the_version_that_it_depended_on(file: Path):
    directory = DirectoryFile(file)("default")

    assert directory.stamp() == {"directory": directory.version}
    assert len(directory.version) == 16
    assert NAMES_ALONE.stamp() == {}


def test_a_directory_may_be_a_file_a_record_or_a_function(file: Path):
    record = Directory(people=["anna"])

    assert people_of(file)("t").knows("cleo")
    assert people_of(str(file))("t").knows("cleo")
    assert people_of(record)("t") is record
    assert people_of(lambda tenant: Directory(people=[tenant]))("acme").knows("acme")
    assert people_of(None)("t") == NAMES_ALONE


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("people: [anna", "is no YAML"),
        ("", "a map `people`"),
        ("[anna]", "a map `people`"),
        ("people: {}", "a map `people`"),
        ("people: {1: {}}", "1: an entry is a name and a map"),
        ("people: {'': {}}", "an entry is a name and a map"),
        ("people: {anna: ops}", "an entry is a name and a map"),
        ("people: {anna: {role: [ops]}}", "'anna': unknown role"),
        ("people: {anna: {roles: ops}}", "`roles` is a list"),
        ("people: {anna: {roles: [1]}}", "`roles` is a list"),
        ("people: {anna: {addresses: [a@b]}}", "`addresses` is a map"),
        ("people: {anna: {addresses: {phone: 41}}}", "`addresses` is a map"),
        ("people: {anna: {active: 'no'}}", "`active` is true or false"),
        ("people: {anna: {}, ANNA: {}}", "anna and ANNA are both known as 'anna'"),
        ("people: {anna: {addresses: {x: BEN}}, ben: {}}", "both known as 'ben'"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_entry(tmp_path: Path, text: str, complaint: str):
    path = tmp_path / "people.yaml"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=complaint):
        DirectoryFile(path)("default")


def test_a_file_that_is_missing_is_no_empty_directory(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        DirectoryFile(tmp_path / "nobody.yaml")("default")


def test_one_address_may_reach_a_person_in_two_ways():
    both: Any = {"people": {"anna": {"addresses": {"email": "a@b", "chat": "A@b"}}}}
    from twelvefold.directory import directory_of

    assert directory_of(both, "1", "here").person("a@B") == "anna"
