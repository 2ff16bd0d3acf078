"""Files for a person's project: all of them or none, and nobody's words are lost."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from twelvefold.exceptions import AlreadyThere, NotWritable
from twelvefold.scaffold.writing import changes, diff, edit, write


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_new_files_are_written_with_their_folders(tmp_path: Path):
    planned = changes(tmp_path, {"a.py": "a = 1\n", "deep/er/b.md": "ü\r\n"})

    written = write(planned, tmp_path)

    assert written == [tmp_path / "a.py", tmp_path / "deep/er/b.md"]
    assert tree(tmp_path) == {"a.py": b"a = 1\n", "deep/er/b.md": "ü\r\n".encode()}


def test_what_is_there_alike_is_not_written_again(tmp_path: Path):
    (tmp_path / "a.py").write_text("a = 1\n")

    assert write(changes(tmp_path, {"a.py": "a = 1\n"}), tmp_path) == []


def test_one_file_in_the_way_and_none_is_written(tmp_path: Path):
    (tmp_path / "b.py").write_text("mine\n")
    planned = changes(tmp_path, {"a.py": "a\n", "b.py": "b\n"})

    with pytest.raises(AlreadyThere, match=r"^b\.py: .*--overwrite"):
        write(planned, tmp_path)

    assert tree(tmp_path) == {"b.py": b"mine\n"}


def test_overwriting_has_to_be_said_and_keeps_the_rights(tmp_path: Path):
    (tmp_path / "run").write_text("mine\n")
    (tmp_path / "run").chmod(0o750)

    write(changes(tmp_path, {"run": "b\n"}), tmp_path, overwrite=True)

    assert (tmp_path / "run").read_text() == "b\n"
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o750


def test_an_edit_needs_no_leave(tmp_path: Path):
    (tmp_path / "a.py").write_text("import x\n")

    write([edit(tmp_path / "a.py", "import y\n")], tmp_path)

    assert (tmp_path / "a.py").read_text() == "import y\n"


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_changed_since_it_was_planned_is_kept(tmp_path: Path, overwrite: bool):
    (tmp_path / "a.py").write_text("import x\n")
    planned = [edit(tmp_path / "a.py", "import y\n"), *changes(tmp_path, {"b.py": "b\n"})]
    (tmp_path / "b.py").write_text("somebody was faster\n")

    with pytest.raises(AlreadyThere, match=r"b\.py has changed meanwhile"):
        write(planned, tmp_path, overwrite=overwrite)

    assert tree(tmp_path) == {"a.py": b"import x\n", "b.py": b"somebody was faster\n"}


def test_a_folder_in_the_way_is_refused_before_anything_is_written(tmp_path: Path):
    (tmp_path / "b").mkdir()

    with pytest.raises(AlreadyThere, match="not a plain file"):
        changes(tmp_path, {"a": "a\n", "b": "b\n"})


def test_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "elsewhere").write_text("theirs\n")
    (tmp_path / "a.py").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(AlreadyThere, match="not a plain file"):
        changes(tmp_path, {"a.py": "a\n"})


def test_what_is_no_text_is_not_taken_for_one(tmp_path: Path):
    (tmp_path / "a.py").write_bytes(b"\xff\xfe")

    with pytest.raises(AlreadyThere, match="not UTF-8"):
        changes(tmp_path, {"a.py": "a\n"})


def test_when_the_disk_refuses_midway_all_is_as_before(tmp_path: Path):
    (tmp_path / "a.py").write_text("mine\n")
    names = {"a.py": "a\n", "new/b.py": "b\n", f"{'x' * 300}.py": "too long a name\n"}
    before = tree(tmp_path)

    with pytest.raises(NotWritable, match=r"cannot be written.*Nothing was written"):
        write([*changes(tmp_path, names)], tmp_path, overwrite=True)

    assert tree(tmp_path) == before
    assert os.listdir(tmp_path) == ["a.py"]


def test_when_one_cannot_be_put_in_place_the_others_are_taken_back(tmp_path: Path):
    (tmp_path / "a.py").write_text("mine\n")
    before = tree(tmp_path)
    planned = changes(tmp_path, {"a.py": "a\n", "c/b.py": "b\n", "c": "a folder by then\n"})

    with pytest.raises(NotWritable, match="Nothing was written"):
        write(planned, tmp_path, overwrite=True)

    assert tree(tmp_path) == before
    assert os.listdir(tmp_path) == ["a.py"]


def test_the_diff_is_one_that_git_applies(tmp_path: Path):
    (tmp_path / "a.py").write_text("one\ntwo")
    shown = "\n".join(diff(changes(tmp_path, {"a.py": "one\nthree\n", "n/b": "b\n"}), tmp_path))

    assert "--- /dev/null\n+++ b/n/b" in shown
    git = ["git", "apply", "--unsafe-paths", "-"]
    subprocess.run(git, input=shown + "\n", text=True, check=True, cwd=tmp_path)
    assert tree(tmp_path) == {"a.py": b"one\nthree\n", "n/b": b"b\n"}
