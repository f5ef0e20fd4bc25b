"""The rest of ``vibehq patch``: rules, versions, feedback, edits, undo, and many in one go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Call, git, vibehq

TEXT = "".join(f"line {number}\n" for number in range(1, 41))


@pytest.fixture
def long(hq: Path) -> Path:
    """The workspace with a file of forty lines."""
    (hq / "long.txt").write_text(TEXT, encoding="utf-8")
    git(hq, "add", "-A")
    git(hq, "commit", "-qm", "Long")
    return hq


def propose(call: Call, folder: Path, *replacements: tuple[str, str], more: tuple[str, ...] = ()) -> str:
    """Submits what the replacements make of the file; the file is left as it was."""
    before = (folder / "long.txt").read_text(encoding="utf-8")
    after = before
    for old, new in replacements:
        after = after.replace(f"{old}\n", new, 1)
    (folder / "long.txt").write_text(after, encoding="utf-8")
    path = folder.parent / "change.patch"
    path.write_text(git(folder, "diff", "--", "long.txt"), encoding="utf-8")
    (folder / "long.txt").write_text(before, encoding="utf-8")
    said = call(folder, "patch", "submit", str(path), *more, "--json")
    assert said.code == 0, said
    found: str = said.json["id"]
    return found


def test_explain_names_the_rule_and_says_why(long: Path, call: Call) -> None:
    (long / "vibehq.toml").write_text(
        '[[policies]]\nname = "texts"\naction = "approve"\npaths = ["*.txt"]\nmax_lines = 4\n'
        '[[policies]]\nname = "frozen"\naction = "deny"\npaths = ["long.txt"]\nmin_lines = 6\nreason = "ask first"\n',
        encoding="utf-8",
    )
    small = propose(call, long, ("line 5", "five\n"))
    shown = call(long, "patch", "explain", small, "--json").json
    assert (shown["action"], shown["rule"], shown["decidedBy"]) == ("approve", "texts", "policy:texts")
    assert [(one["name"], one["matched"]) for one in shown["rules"]] == [
        ("protect.paths", False),
        ("protect.hold", False),
        ("texts", True),
        ("frozen", False),
    ]
    assert shown["risk"]["tier"] == "low" and {"code", "points", "message", "paths"} == set(shown["risk"]["reasons"][0])
    assert [one["check"] for one in shown["findings"]][:3] == ["parses", "applies", "paths"]
    told = call(long, "patch", "explain", small).out
    assert "approved by rule texts" in told and "frozen" in told and "2 lines, fewer than 6" in told
    assert "risk low" in told and "no secret" in told

    big = propose(call, long, ("line 9", "nine\na\nb\nc\nd\n"))
    assert call(long, "patch", "show", big, "--json").json["state"] == "proposed"
    said = call(long, "patch", "approve", big, "--json")
    assert (said.code, said.error["code"], said.error["details"]["rule"]) == (1, "policy-denied", "frozen")
    assert "ask first" in said.error["message"]
    assert "denied by rule frozen" in call(long, "patch", "explain", big).out


def test_a_mistake_in_a_rule_is_named(long: Path, call: Call) -> None:
    (long / "vibehq.toml").write_text('[[policies]]\nname = "x"\naction = "allow"\n', encoding="utf-8")
    said = call(long, "patch", "list", "--json")
    assert said.code == 1
    (problem,) = said.error["details"]["problems"]
    assert (problem["file"], problem["key"], problem["line"]) == ("vibehq.toml", "policies[0].action", 3)
    assert problem["allowed"] == ["approve", "hold", "deny"]


def test_versions_and_their_difference(long: Path, call: Call) -> None:
    one = propose(call, long, ("line 5", "five\n"), ("line 30", "thirty\n"))
    call(long, "patch", "reject", one, "--reason", "no", "--hunk", "2")
    again = propose(call, long, ("line 5", "FIVE\n"), ("line 30", "thirty\n"), more=("--patch", one))
    assert again == one
    shown = call(long, "patch", "show", one, "--json").json
    assert [row["version"] for row in shown["versions"]] == [1, 2]
    assert [(row["hunk"], row["decision"]) for row in shown["decisions"]] == [(2, "rejected")]
    assert "version 2" in call(long, "patch", "show", one).out
    said = call(long, "patch", "diff", one, "--against", "1", "--json").json
    assert (said["against"], said["version"]) == (1, 2)
    assert "-five\n+FIVE\n" in said["diff"]
    assert call(long, "patch", "diff", one, "--against", "1").out == said["diff"]
    assert "-FIVE\n+five\n" in call(long, "patch", "diff", one, "--against", "2", "--version", "1").out
    assert call(long, "patch", "diff", one, "--version", "1").code == 2
    superseded = propose(call, long, ("line 5", "V\n"), more=("--supersedes", one))
    assert call(long, "patch", "show", superseded, "--json").json["version"] == 3


def test_feedback(long: Path, call: Call) -> None:
    one = propose(call, long, ("line 5", "five\n"))
    call(long, "patch", "comment", one, "--hunk", "1", "--text", "In words?")
    call(long, "patch", "reject", one, "--reason", "No words, please")
    said = call(long, "patch", "feedback", one)
    assert said.code == 0
    assert "> No words, please" in said.out and "> In words?" in said.out and "+five" in said.out
    wire = call(long, "patch", "feedback", one, "--json").json
    assert (wire["id"], wire["state"], wire["markdown"]) == (one, "rejected", said.out)


def test_comments_are_settled(long: Path, call: Call) -> None:
    one = propose(call, long, ("line 5", "five\n"))
    left = call(long, "patch", "comment", one, "--hunk", "1", "--text", "Why?", "--json").json
    assert (left["path"], left["hunk"], left["resolvedBy"]) == ("long.txt", 1, None)
    assert call(long, "patch", "comment", one, "--settle", left["id"], "--json").json["resolvedBy"]
    assert "(settled)" in call(long, "patch", "show", one).out
    assert call(long, "patch", "comment", one, "--reopen", left["id"], "--json").json["resolvedBy"] is None
    assert call(long, "patch", "comment", one, "--settle", "77").code == 1
    assert call(long, "patch", "comment", one).code == 2


def test_undo_and_redo(long: Path, call: Call) -> None:
    one = propose(call, long, ("line 5", "five\n"))
    call(long, "patch", "approve", one)
    said = call(long, "patch", "undo", one, "--json").json
    assert (said["patch"]["state"], said["done"]) == ("proposed", "the patch is proposed again")
    assert call(long, "patch", "redo", one, "--json").json["patch"]["state"] == "approved"
    assert call(long, "patch", "redo", one).code == 1


def test_a_hunk_is_edited_from_a_file_and_by_lines(long: Path, call: Call) -> None:
    one = propose(call, long, ("line 5", "five\nsix\nseven\n"))
    shown = call(long, "patch", "show", one, "--hunk", "1").out.splitlines()
    numbered = {
        line.split(" ", 1)[1] if line[0] != " " else line.split(" ", 2)[2]: line.split()[0] for line in shown[1:]
    }
    wire = call(long, "patch", "show", one, "--hunk", "1", "--json").json
    text = long.parent / "hunk.txt"
    text.write_text(wire["text"].replace("+six\n", "+6\n"), encoding="utf-8")
    assert call(long, "patch", "edit", one, "--hunk", "1", "--text", str(text), "--json").json["version"] == 2
    said = call(long, "patch", "edit", one, "--hunk", "1", "--lines", numbered["+seven"], "--json")
    assert (said.code, said.json["version"], said.json["added"], said.json["removed"]) == (0, 3, 1, 0)
    text.write_text(" nothing of it\n+x\n", encoding="utf-8")
    before = call(long, "patch", "show", one, "--json").json
    assert call(long, "patch", "edit", one, "--hunk", "1", "--text", str(text)).code == 1
    assert call(long, "patch", "show", one, "--json").json == before
    for lines in ("0", "x", "3-1", "1-", ""):
        assert call(long, "patch", "edit", one, "--hunk", "1", "--lines", lines).code == 2


def test_a_hunk_is_edited_in_the_editor(long: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    one = propose(call, long, ("line 5", "five\n"))
    monkeypatch.setenv("EDITOR", "sed -i s/+five/+V/")
    monkeypatch.delenv("VISUAL", raising=False)
    assert call(long, "patch", "edit", one, "--hunk", "1", "--json").json["version"] == 2
    assert "+V\n" in call(long, "patch", "diff", one).out
    monkeypatch.setenv("EDITOR", "true")
    said = call(long, "patch", "edit", one, "--hunk", "1", "--json")
    assert (said.code, said.error["code"]) == (1, "not-saved")


def test_approving_some_lines_of_a_hunk(long: Path, call: Call) -> None:
    one = propose(call, long, ("line 5", "five\nsix\n"), ("line 30", "thirty\n"))
    assert call(long, "patch", "approve", one, "--lines", "4").code == 2
    said = call(long, "patch", "approve", one, "--hunk", "1", "--lines", "4-5", "--json")
    assert (said.code, said.json["state"], said.json["version"]) == (0, "approved", 2)
    assert call(long, "patch", "apply", one).code == 0
    assert (long / "long.txt").read_text(encoding="utf-8") == TEXT.replace("line 5\n", "five\n")


def test_many_in_one_go(long: Path, call: Call) -> None:
    ids = [propose(call, long, (f"line {number}", f"LINE {number}\n")) for number in (30, 20, 10)]
    rival = propose(call, long, ("line 10", "ten\n"))
    found = call(long, "patch", "conflicts", "--json").json
    assert found["excludes"] == [[ids[2], rival]] and found["order"] == ids
    told = call(long, "patch", "conflicts").out
    assert f"order that works: {' '.join(ids)}" in told and f"{rival} is left out: excludes patch {ids[2]}" in told
    said = call(long, "patch", "approve", *ids, rival, "--keep-going", "--json")
    assert said.code == 3
    assert {row["id"]: row["result"] for row in said.json["items"]} == {
        **dict.fromkeys(ids, "approved"),
        rival: "conflict",
    }
    rehearsed = call(long, "patch", "apply", "--all-approved", "--dry-run", "--json")
    assert [row["result"] for row in rehearsed.json["items"]] == ["would-apply"] * 3
    assert (long / "long.txt").read_text(encoding="utf-8") == TEXT
    said = call(long, "patch", "apply", "--all-approved", "--json")
    assert said.code == 0 and [row["id"] for row in said.json["items"]] == ids
    after = (long / "long.txt").read_text(encoding="utf-8")
    assert all(f"LINE {number}\n" in after for number in (10, 20, 30))
    assert "no approved patches" in call(long, "patch", "apply", "--all-approved").out
    assert call(long, "patch", "apply").code == 2
    assert call(long, "patch", "apply", "1", "--all-approved").code == 2
    assert call(long, "patch", "approve", "1", "2", "--hunk", "1").code == 2


def test_many_with_a_key_are_done_once(long: Path) -> None:
    first = vibehq(long, "patch", "submit", "-", "--json", given=_diff("line 5", "five")).json["id"]
    second = vibehq(long, "patch", "submit", "-", "--json", given=_diff("line 30", "thirty")).json["id"]
    calls = [vibehq(long, "patch", "approve", first, second, "--idempotency-key", "k", "--json") for _ in range(2)]
    assert calls[0].json == calls[1].json
    assert [row["result"] for row in json.loads(calls[1].out)["items"]] == ["approved", "approved"]


def _diff(old: str, new: str) -> str:
    number = int(old.split()[1])
    return (
        f"--- a/long.txt\n+++ b/long.txt\n@@ -{number - 1},3 +{number - 1},3 @@\n"
        f" line {number - 1}\n-{old}\n+{new}\n line {number + 1}\n"
    )
