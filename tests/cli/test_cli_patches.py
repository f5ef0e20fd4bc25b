"""``vibehq patch``: from a text to the tree and back, and every way in which it does not get there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import PATCH, Call, git, vibehq

APPLIED = "one = 1\ntwo = 3\nthree = 3\n"


@pytest.fixture
def patch_file(tmp_path: Path) -> Path:
    path = tmp_path / "fix.patch"
    path.write_text(PATCH, encoding="utf-8")
    return path


def submit(call: Call, hq: Path, patch_file: Path, *options: str) -> str:
    said = call(hq, "patch", "submit", str(patch_file), *options, "--json")
    assert said.code == 0, said
    found: str = said.json["id"]
    return found


def test_the_road(hq: Path, patch_file: Path, call: Call) -> None:
    one = submit(call, hq, patch_file, "--task", "2", "--provider", "codex", "--title", "Two is three")
    record = call(hq, "patch", "show", one, "--json").json
    promised = {"id", "title", "state", "task", "provider", "files", "added", "removed", "risk", "planHash", "base"}
    assert promised <= set(record)
    assert (record["state"], record["task"], record["added"], record["removed"]) == ("proposed", "2", 1, 1)
    assert record["base"] == git(hq, "rev-parse", "HEAD").strip()
    assert call(hq, "patch", "apply", one).code == 1  # not approved yet
    assert call(hq, "patch", "approve", one, "--json").json["state"] == "approved"
    assert call(hq, "patch", "apply", one, "--dry-run").code == 0
    assert (hq / "app.py").read_text(encoding="utf-8") != APPLIED
    assert call(hq, "patch", "apply", one, "--json").json["state"] == "applied"
    assert (hq / "app.py").read_text(encoding="utf-8") == APPLIED
    assert call(hq, "patch", "revert", one, "--json").json["state"] == "reverted"
    assert git(hq, "status", "--porcelain", "app.py") == ""
    types = [event["type"] for event in call(hq, "events", "--type", "patch.*", "--json").json["items"]]
    for step in ("patch.received", "patch.proposed", "patch.approved", "patch.applied", "patch.reverted"):
        assert step in types
    verbs = [entry["verb"] for entry in call(hq, "audit", "--json").json["items"]]
    assert {"patch.submit", "patch.approve", "patch.apply", "patch.revert"} <= set(verbs)


def test_standard_input_as_a_process(hq: Path) -> None:
    said = vibehq(hq, "patch", "submit", "-", "--json", given=PATCH)
    assert said.code == 0
    assert said.json["state"] == "proposed"
    assert said.err == ""
    shown = vibehq(hq, "patch", "diff", said.json["id"])
    assert "+two = 3" in shown.out
    assert shown.out.startswith("diff --git")


def test_list_by_state_and_task(hq: Path, patch_file: Path, call: Call) -> None:
    first = submit(call, hq, patch_file, "--task", "2")
    second = submit(call, hq, patch_file)
    call(hq, "patch", "reject", second, "--reason", "twice")
    listed = call(hq, "patch", "list", "--json").json["items"]
    assert [item["id"] for item in listed] == [second, first]
    assert [item["id"] for item in call(hq, "patch", "list", "--state", "rejected", "--json").json["items"]] == [second]
    assert [item["id"] for item in call(hq, "patch", "list", "--task", "2", "--json").json["items"]] == [first]
    assert "rejected" in call(hq, "patch", "list").out


def test_hunks_and_comments(hq: Path, tmp_path: Path, call: Call) -> None:
    text = "".join(f"line {number}\n" for number in range(1, 41))
    (hq / "long.txt").write_text(text, encoding="utf-8")
    git(hq, "add", "-A")
    git(hq, "commit", "-qm", "Long")
    (hq / "long.txt").write_text(
        text.replace("line 3\n", "LINE 3\n").replace("line 33\n", "LINE 33\n"), encoding="utf-8"
    )
    patch_file = tmp_path / "two.patch"
    patch_file.write_text(git(hq, "diff"), encoding="utf-8")
    git(hq, "checkout", "-q", "long.txt")
    one = submit(call, hq, patch_file)
    assert call(hq, "patch", "approve", one, "--hunk", "9").code == 1
    assert call(hq, "patch", "approve", one, "--hunk", "2").code == 0
    assert call(hq, "patch", "apply", one).code == 0
    assert (hq / "long.txt").read_text(encoding="utf-8") == text.replace("line 33\n", "LINE 33\n")
    left = call(hq, "patch", "comment", one, "--path", "long.txt", "--line", "33", "--text", "Why?", "--json")
    assert left.json["line"] == 33
    assert call(hq, "patch", "show", one, "--json").json["comments"][0]["text"] == "Why?"
    assert call(hq, "patch", "comment", one, "--line", "3", "--text", "Where?").code == 2
    assert call(hq, "patch", "comment", one, "--path", "other.txt", "--text", "Where?").code == 1


def test_conflicts_between_open_patches(hq: Path, patch_file: Path, call: Call) -> None:
    first, second = submit(call, hq, patch_file), submit(call, hq, patch_file)
    (item,) = call(hq, "patch", "conflicts", "--json").json["items"]
    assert {item["patch"], item["other"]} == {first, second}
    assert item["path"] == "app.py"
    assert "app.py:2" in call(hq, "patch", "conflicts").out


def test_a_moved_base_is_a_conflict_and_changes_nothing(hq: Path, patch_file: Path, call: Call) -> None:
    one = submit(call, hq, patch_file)
    call(hq, "patch", "approve", one)
    (hq / "app.py").write_text("one = 1\ntwo = 22\nthree = 3\n", encoding="utf-8")
    said = call(hq, "patch", "apply", one, "--json")
    assert said.code == 3
    assert said.error["message"]
    assert (hq / "app.py").read_text(encoding="utf-8") == "one = 1\ntwo = 22\nthree = 3\n"
    assert call(hq, "patch", "show", one, "--json").json["state"] == "conflicted"
    late = call(hq, "patch", "submit", str(patch_file), "--json")
    assert late.code == 3
    assert late.error["details"]["patch"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02\xff" * 500, ""),
        (b"Dear all,\nno patch here.\n", ""),
        (b"--- a/../../etc/passwd\n+++ b/../../etc/passwd\n@@ -1 +1 @@\n-a\n+b\n", ".."),
        (b"--- /dev/null\n+++ b/.git/hooks/post-commit\n@@ -0,0 +1 @@\n+evil\n", ".git"),
    ],
    ids=["empty", "binary rubbish", "prose", "outside", "hooks"],
)
def test_what_is_no_patch_is_refused_and_not_stored(
    content: bytes, word: str, hq: Path, tmp_path: Path, call: Call
) -> None:
    path = tmp_path / "bad.patch"
    path.write_bytes(content)
    said = call(hq, "patch", "submit", str(path), "--json")
    assert said.code == 1
    assert word in json.dumps(said.error).lower()
    assert call(hq, "patch", "list", "--json").json["items"] == []
    assert "Traceback" not in call(hq, "patch", "submit", str(path)).err


def test_a_patch_for_a_file_that_is_not_there(hq: Path, tmp_path: Path, call: Call) -> None:
    path = tmp_path / "missing.patch"
    path.write_text(PATCH.replace("app.py", "gone.py"), encoding="utf-8")
    said = call(hq, "patch", "submit", str(path), "--json")
    assert said.code in (1, 3)
    assert "gone.py" in json.dumps(said.error)


def test_files_that_cannot_be_read(hq: Path, tmp_path: Path, call: Call) -> None:
    assert "there is no file" in call(hq, "patch", "submit", "nowhere.patch").err
    assert "is a folder" in call(hq, "patch", "submit", str(tmp_path)).err
    assert call(hq, "patch", "submit", str(tmp_path), "--json").code == 1


def test_unknown_ids_and_revisions(hq: Path, patch_file: Path, call: Call) -> None:
    for arguments in (("show", "9"), ("diff", "9"), ("approve", "9"), ("apply", "9"), ("revert", "9")):
        said = call(hq, "patch", *arguments, "--json")
        assert (said.code, said.error["code"]) == (1, "not-found")
    assert call(hq, "patch", "submit", str(patch_file), "--task", "99").code == 1
    assert call(hq, "patch", "submit", str(patch_file), "--base", "nonsense").code == 1
    one = submit(call, hq, patch_file)
    assert call(hq, "patch", "diff", one, "--against", "1").code == 1
    assert call(hq, "patch", "diff", one, "--against", "7").code == 1


def test_operations(hq: Path, tmp_path: Path, call: Call) -> None:
    batch = {
        "orderId": "1",
        "requester": "agent",
        "reason": "Add a line",
        "taskId": "2",
        "patches": [{"op": "append", "file": "app.py", "block": "four = 4\n"}],
    }
    path = tmp_path / "batch.json"
    path.write_text(json.dumps(batch), encoding="utf-8")
    said = call(hq, "patch", "submit", str(path), "--json")
    assert said.code == 0
    assert said.json["format"] == "operations"
    assert said.json["task"] == "2"


def test_apply_and_commit(hq: Path, patch_file: Path, call: Call) -> None:
    git(hq, "config", "user.name", "Test")
    git(hq, "config", "user.email", "test@localhost")
    (hq / "mine.txt").write_text("not yours\n", encoding="utf-8")
    one = submit(call, hq, patch_file, "--title", "Two is three")
    call(hq, "patch", "approve", one)
    assert call(hq, "patch", "apply", one, "--commit", "--json").code == 0
    assert git(hq, "log", "-1", "--format=%s").strip() == "Two is three"
    assert git(hq, "show", "--format=", "--name-only").split() == ["app.py"]
    assert git(hq, "status", "--porcelain", "--", "mine.txt").strip() == "?? mine.txt"


def test_apply_to_a_branch(hq: Path, patch_file: Path, call: Call) -> None:
    before = (hq / "app.py").read_bytes()
    one = submit(call, hq, patch_file)
    call(hq, "patch", "approve", one)
    assert call(hq, "patch", "apply", one, "--branch", "a b").code == 1
    assert call(hq, "patch", "apply", one, "--branch", "next", "--no-commit").code == 2
    said = call(hq, "patch", "apply", one, "--branch", "next")
    assert said.code == 0
    assert said.out.rstrip().endswith("on next")
    assert (hq / "app.py").read_bytes() == before
    assert git(hq, "diff", "--name-only", "HEAD", "next").split() == ["app.py"]
    shown = call(hq, "patch", "show", one, "--json").json
    assert (shown["branch"], shown["commitId"]) == ("next", git(hq, "rev-parse", "next").strip())
    assert call(hq, "patch", "revert", one).code == 0
    assert git(hq, "diff", "HEAD", "next") == ""


def test_show_names_the_hunks_that_can_be_chosen(hq: Path, patch_file: Path, call: Call) -> None:
    one = submit(call, hq, patch_file)
    shown = call(hq, "patch", "show", one, "--json").json
    numbers = [hunk["number"] for file in shown["files"] for hunk in file["hunks"]]
    assert numbers == list(range(1, shown["hunks"] + 1))
    assert "hunk 1" in call(hq, "patch", "show", one).out
