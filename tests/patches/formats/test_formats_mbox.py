"""Mailboxes: those that git writes, those that mail programs make of them, and damaged ones."""

from __future__ import annotations

import base64
import os
import quopri
import subprocess
from email.header import Header
from pathlib import Path

import pytest
from format_helpers import codes, message, read, refused, shown

from vibehq_tui.patches.formats.mbox import is_from_line

ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Zoë Ünal",
    "GIT_AUTHOR_EMAIL": "zoe@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "PATH": os.environ["PATH"],
}
FROM = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
DIFF = "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"


def mail(number: str = "1/2", title: str = "A change", body: str = "Why.\n", diff: str = DIFF, more: str = "") -> str:
    """A mail as ``git format-patch`` writes it."""
    return (
        f"{FROM}From: Ada <ada@example.com>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\nSubject: [PATCH {number}] {title}\n"
        f"{more}\n{body}---\n f | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\n{diff}-- \n2.39.5\n\n"
    )


def encoded(text: str, encoding: str) -> str:
    """A mail with its body in a transfer encoding."""
    head, _, body = text.partition("\n\n")
    raw = body.encode()
    packed = quopri.encodestring(raw) if encoding == "quoted-printable" else base64.encodebytes(raw)
    kind = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
    return f"{head}\n{kind}Content-Transfer-Encoding: {encoding}\n\n{packed.decode()}\n"


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, str]:
    """A repository with three commits above its first, and that first commit's name."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, check=True, text=True
        )
        return done.stdout

    git("init", "-q", "-b", "main")
    file = tmp_path / "größe.txt"
    file.write_text("".join(f"line {number}\n" for number in range(40)))
    git("add", "-A")
    git("commit", "-q", "-m", "base")
    base = git("rev-parse", "HEAD").strip()
    titles = [
        "Change the fifth line, in a title that is so long that a mail program folds it onto a second line of its own",
        "Größe: the second change\n\nFrom here on, it has a message.\n>From a quote.\n\n- a list\n+ of two",
        "[tag] Third",
    ]
    for number, title in enumerate(titles, 5):
        file.write_text(file.read_text().replace(f"line {number}\n", f"LINE {number}\nand more\n"))
        git("commit", "-q", "-a", "-m", title)
    return tmp_path, base


def format_patch(root: Path, base: str, *options: str) -> bytes:
    """The mailbox that git writes of everything since ``base``."""
    done = subprocess.run(
        ["git", "format-patch", "--stdout", *options, base], cwd=root, env=ENVIRONMENT, capture_output=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize(
    "options",
    [(), ("--cover-letter",), ("--attach",), ("--inline",), ("-k",), ("--pretty=mboxrd",), ("--no-signature",)],
)
def test_a_series_of_git(history: tuple[Path, str], options: tuple[str, ...]) -> None:
    parsed = read(format_patch(*history, *options))
    assert (parsed.format, len(parsed.parts), parsed.repairs) == ("mbox", 3, ())
    assert [part.author for part in parsed.parts] == ["Zoë Ünal <zoe@example.com>"] * 3
    assert parsed.author == "Zoë Ünal <zoe@example.com>"
    first, second, third = parsed.parts
    assert first.title is not None
    assert first.title.startswith("Change the fifth line, in a title that is so long that")
    assert first.title.endswith("onto a second line of its own")
    assert second.title == "Größe: the second change"
    assert second.message is not None
    assert second.message.startswith("From here on, it has a message.\n")
    assert "From a quote.\n\n- a list\n+ of two" in second.message
    assert third.title == "Third"
    assert [change.path for change in parsed.changes] == ["größe.txt"] * 3
    assert [part.changes[0] for part in parsed.parts] == list(parsed.changes)
    assert "-line 6" in shown(second.changes[0].hunks[0])


def test_one_mail(history: tuple[Path, str]) -> None:
    text = format_patch(history[0], "HEAD", "-1")
    assert read(text).format == "git"
    parsed = read(text, "mbox")
    assert (parsed.format, len(parsed.parts), parsed.title) == ("mbox", 1, "Third")
    assert read(text).changes == parsed.changes


def test_a_cover_letter_gives_the_title(history: tuple[Path, str]) -> None:
    text = format_patch(*history, "--cover-letter").replace(b"*** SUBJECT HERE ***", b"All of it")
    parsed = read(text)
    assert (parsed.title, len(parsed.parts)) == ("All of it", 3)


def test_order_is_that_of_the_file() -> None:
    parsed = read(mail("2/2", "Second") + mail("1/2", "First", diff=DIFF.replace("/f", "/g")))
    assert [part.title for part in parsed.parts] == ["Second", "First"]
    assert codes(parsed) == ["series-order"]
    assert "2, 1 of 2" in parsed.repairs[0].message
    assert codes(read(mail("1/3") + mail("3/3"))) == ["series-order"]


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
def test_encoded_bodies(encoding: str) -> None:
    plain = mail(diff=DIFF.replace("+c", "+c = 'ä' == 'x'")).replace("\n a\n", "\n a \n") + mail("2/2")
    first, second = plain.split(FROM)[1:]
    parsed = read(FROM + encoded(first, encoding) + FROM + second)
    assert (parsed.format, len(parsed.parts), parsed.repairs) == ("mbox", 2, ())
    assert parsed.parts == read(plain).parts
    assert shown(parsed.changes[0].hunks[0]) == [" a ", "-b", "+c = 'ä' == 'x'"]
    crlf = encoded(first.replace("\n", "\r\n").replace("\r\n\r\n", "\n\n", 1), encoding)
    assert read(FROM + crlf + FROM + second).parts[0].changes[0].hunks[0].crlf_text


def test_a_body_that_does_not_decode() -> None:
    broken = encoded(mail(), "base64")
    head, _, body = broken.partition("\n\n")
    assert refused(f"{head}\n\n{body[:41]}\n", "mbox") in ("mail-encoding", "truncated", "no-changes")
    multipart = mail(more='Content-Type: multipart/mixed; boundary="x"\n')
    assert refused(multipart, "mbox") == "mail-encoding"


def test_headers() -> None:
    subject = Header(
        "[PATCH 1/2] Größe der Übersicht, mit einem Titel, der länger ist als eine Zeile", "utf-8"
    ).encode()
    text = mail().replace("Subject: [PATCH 1/2] A change", f"Subject: {subject}")
    text = text.replace("From: Ada <", "From: =?UTF-8?q?Zo=C3=AB?= <")
    parsed = read(text + mail("2/2"))
    assert parsed.parts[0].title == "Größe der Übersicht, mit einem Titel, der länger ist als eine Zeile"
    assert parsed.parts[0].author == "Zoë <ada@example.com>"
    assert parsed.author is None


def test_fields_in_the_body() -> None:
    text = mail(body="From: Grace <grace@example.com>\nSubject: [PATCH] Better\n\nThe message.\n") + mail("2/2")
    part = read(text).parts[0]
    assert (part.author, part.title, part.message) == ("Grace <grace@example.com>", "Better", "The message.")
    plain = read(mail(body="From: what follows,\nwe know.\n") + mail("2/2")).parts[0]
    assert (plain.author, plain.message) == ("Ada <ada@example.com>", "From: what follows,\nwe know.")


def test_scissors_cut_nothing() -> None:
    part = read(mail(body="Before.\n-- >8 --\nAfter.\n") + mail("2/2")).parts[0]
    assert part.message == "Before.\n-- >8 --\nAfter."


def test_crlf_mails() -> None:
    parsed = read((mail() + mail("2/2")).replace("\n", "\r\n"))
    assert (parsed.format, [part.title for part in parsed.parts]) == ("mbox", ["A change", "A change"])
    assert all(change.hunks[0].crlf_text for change in parsed.changes)


def test_mails_without_a_diff() -> None:
    reply = f"{FROM}From: Bob <b@example.com>\nSubject: Re: nice\n\nLooks good.\n\n"
    parsed = read(mail() + reply + mail("2/2"))
    assert (len(parsed.parts), codes(parsed)) == (2, ["mail-skipped"])
    cover = mail("0/2", "Cover", diff="")
    assert (read(cover + mail() + mail("2/2")).title, codes(read(cover + mail() + mail("2/2")))) == ("Cover", [])
    lost = mail("2/3", "Lost", diff="")
    assert refused(mail("1/3") + lost + mail("3/3")) == "truncated"
    assert "'Lost'" in message(mail("1/3") + lost + mail("3/3"))
    assert refused(reply, "mbox") == "no-changes"


def test_a_mail_that_was_cut_off() -> None:
    text = mail() + mail("2/2")
    assert refused(text[: text.rindex("+c\n")]) == "truncated"
    assert "mail 2 (line 21)" in message(text[: text.rindex("+c\n")])


def test_flowed_text() -> None:
    flowed = mail(more="Content-Type: text/plain; charset=UTF-8; format=flowed\n")
    assert refused(flowed + mail("2/2")) == "mail-encoding"


def test_repairs_count_hunks_through_all_mails() -> None:
    parsed = read(mail() + mail("2/2", diff=DIFF.replace("@@ -1,2 +1,2 @@", "@@ -1,3 +1,9 @@")))
    assert [(item.code, item.hunk) for item in parsed.repairs] == [("hunk-count", 2)]
    assert [(item.code, item.hunk) for item in parsed.parts[1].repairs] == [("hunk-count", 1)]


@pytest.mark.parametrize("path", ["../x", "/x", ".git/x"])
def test_unsafe_names(path: str) -> None:
    bad = DIFF.replace("a/f", f"a/{path}").replace("b/f", f"b/{path}")
    assert refused(mail() + mail("2/2", diff=bad)).startswith("path-")


@pytest.mark.parametrize(
    ("line", "starts"),
    [
        (FROM.encode(), True),
        (b"From ada@example.com  Mon Jan  1 10:00:00 2024\n", True),
        (b"From MAILER-DAEMON Thu Jan 01 00:00:00 1970 +0000\r\n", True),
        (b"From - Mon Jan  1 10:00:00 2024\n", True),
        (b"From here on it is better.\n", False),
        (b"From 10:00 to 12:00 we met.\n", False),
        (b"From: Ada <ada@example.com>\n", False),
        (b">From a Mon Jan  1 10:00:00 2024\n", False),
        (b"From \n", False),
        (b"From ::::::::::::::::::::::\n", False),
    ],
)
def test_lines_that_start_a_mail(line: bytes, starts: bool) -> None:
    assert is_from_line(line) == starts


def test_other_mailboxes() -> None:
    """mutt and mbsync write other head lines, and CR LF; mails without any head line are one mail."""
    other = "From ada@example.com Mon Jan  1 10:00:00 2024\n"
    text = (mail() + mail("2/2")).replace(FROM, other)
    assert [part.title for part in read(text).parts] == ["A change", "A change"]
    alone = mail().removeprefix(FROM)
    assert [part.title for part in read(alone, "mbox").parts] == ["A change"]
