from __future__ import annotations

import pytest

from vibehq_tui.ops import fingerprint
from vibehq_tui.ops.fingerprint import fingerprints, parameterise


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        ("took 12 s", "took <duration>"),
        ("took 1.5 ms and 3 minutes", "took <duration> and <duration>"),
        ("exit code 127", "exit code <number>"),
        ("disk is 93.5% full", "disk is <number> full"),
        ("cannot open /var/lib/x/y.txt today", "cannot open <path> today"),
        ("KeyError: 'task-7'", "KeyError: <quoted>"),
        ('said "hello there"', "said <quoted>"),
        ("GET https://example.com/a?b=1 failed", "GET <url> failed"),
        ("mail to ada@example.com", "mail to <email>"),
        ("at 2026-03-01T12:00:00.123Z", "at <date>"),
        ("at 2026-03-01 12:00:00", "at <date>"),
        ("on Sun, 1 Mar 2026 12:00:00", "on <date>"),
        ("at 12:00:01", "at <time>"),
        ("from 10.0.0.1:8080", "from <ip>"),
        ("from fe80:0:0:1::2", "from <ip>"),
        ("host db-1.prod.example.com down", "host <host> down"),
        ("commit 1f0c3d9 and 1f0c3d91f0c3d91f0c3d91f0c3d91f0c3d91f0c3", "commit <hash> and <hash>"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id <uuid>"),
        ("at 0xdeadbeef", "at <hex>"),
        ("two\n  lines\tand  spaces", "two lines and spaces"),
        ("the deadline facade", "the deadline facade"),
        ("", ""),
    ],
)
def test_messages_lose_what_changes(message: str, pattern: str) -> None:
    assert parameterise(message) == pattern


def test_the_same_cause_has_one_fingerprint_and_keys_are_taken_as_they_are() -> None:
    assert fingerprints("d", ("a",), "took 3 s") == fingerprints("d", ("a",), "took 45 s")
    others = {
        fingerprints("d", ("1",)),
        fingerprints("d", ("2",)),
        fingerprints("e", ("1",)),
        fingerprints("d", ("1", "2")),
        fingerprints("d", ("12",)),
        fingerprints("d", ("1",), "x"),
        fingerprints("d1", ("",)),
    }
    assert len(others) == 7


def test_fingerprints_never_change_once_they_were_stored() -> None:
    assert fingerprints("stale-patch", ("118",))[-1] == "1-05ae80e024e309e5c422534c1b1ea780"
    health = fingerprints("detector-health", ("stale-patch",), "took 3 s at /a/b")
    assert health[-1] == "1-18ffeb9c277e093191fafd52c0a6e09b"


def test_a_new_version_comes_first_and_the_old_one_is_still_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    (old,) = fingerprints("d", ("a",))
    monkeypatch.setitem(fingerprint.ALGORITHMS, 2, lambda *_: "new")
    assert fingerprints("d", ("a",)) == ("2-new", old)


def test_text_that_utf8_cannot_hold_and_endless_messages() -> None:
    assert fingerprints("d", ("\udcff",)) != fingerprints("d", ("\udcfe",))
    assert parameterise("x" * 10**6) == "x" * fingerprint.MAX_PATTERN
