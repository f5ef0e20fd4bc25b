"""Mailboxes of real commits, applied to the tree that they were made from, as git and as mail programs write them."""

from __future__ import annotations

import base64
import os
import quopri
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from format_helpers import Box
from shop import CART, FILES, swap

from vibehq_tui.patches.applying.engine import revert

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
Rewrite = Callable[[bytes], bytes]


def git(root: Path, *arguments: str) -> bytes:
    """What a git command prints."""
    return subprocess.run(["git", *arguments], cwd=root, env=ENVIRONMENT, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def commits(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, bytes]]:
    """Three commits on top of the shop as a mailbox, the middle one on the file of the first; and the files after."""
    root = tmp_path_factory.mktemp("history")
    box = Box(root)
    for path, text in FILES.items():
        box.write(path, text)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "base")
    cart = swap("src/shop/cart.py", ("def empty()", "def new()"))["src/shop/cart.py"]
    assert cart is not None
    box.write("src/shop/cart.py", cart)
    git(root, "commit", "-q", "-a", "-m", "Carts are new, not empty")
    box.write("src/shop/cart.py", cart.replace("def new()", "def fresh()").replace("Decimal(0)", 'Decimal("0.00")'))
    box.write("docs/größe.md", "# Größe\n\nFrom here on.\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-a", "-m", "Fresh carts\n\nFrom 10:00 on, they are fresh.")
    git(root, "mv", "web/app.js", "web/main.js")
    git(root, "rm", "-q", "cmd/main.go")
    box.write("logo.bin", bytes(range(256)) * 4)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Move, remove, add")
    files = {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }
    return git(root, "format-patch", "--stdout", "--cover-letter", "HEAD~3"), files


def shop(tmp_path: Path) -> Box:
    """The files before."""
    box = Box(tmp_path / "root")
    for path, text in FILES.items():
        box.write(path, text)
    return box


def mails_of(mailbox: bytes) -> list[bytes]:
    """The mails of a mailbox of git, the cover letter first."""
    return re.split(rb"(?<=\n)(?=From [0-9a-f]{40} )", mailbox)


def each(rewrite: Rewrite) -> Rewrite:
    """Rewrites every mail but the cover letter."""

    def whole(mailbox: bytes) -> bytes:
        head, *mails = mails_of(mailbox)
        return b"".join([head, *(rewrite(mail) for mail in mails)])

    return whole


def packed(encoding: str) -> Rewrite:
    """Puts the body into a transfer encoding, with the line ends of mail."""

    def mail(text: bytes) -> bytes:
        head, _, body = text.partition(b"\n\n")
        kept = [line for line in head.split(b"\n") if not line.lower().startswith((b"content-", b"mime-version"))]
        raw = body.replace(b"\n", b"\r\n")
        data = base64.encodebytes(raw) if encoding == "base64" else quopri.encodestring(body)
        kind = b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: "
        return b"\n".join(kept) + b"\n" + kind + encoding.encode() + b"\n\n" + data + b"\n"

    return mail


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text,
        lambda text: text.replace(b"From 0", b"From ada@example.com Mon Jan  1 10:00:00 2024\nX-Id: 0", 1),
        lambda text: text[text.index(b"\nFrom ") + 1 :],
        each(packed("quoted-printable")),
    ],
    ids=["as git writes it", "another head line", "no cover letter", "quoted-printable"],
)
def test_a_series_is_applied(commits: tuple[bytes, dict[str, bytes]], tmp_path: Path, rewrite: Rewrite) -> None:
    mailbox, after = commits
    box = shop(tmp_path)
    result = box.apply(rewrite(mailbox))
    assert (result.result, result.format) == ("applied", "mbox"), result.errors
    assert box.state() == after
    assert result.repairs == ()


def test_a_series_in_crlf_is_applied(commits: tuple[bytes, dict[str, bytes]], tmp_path: Path) -> None:
    """The CR of the mail is not that of the files; what is binary comes out as it was."""
    mailbox, after = commits
    box = shop(tmp_path)
    for rewrite in (lambda text: text.replace(b"\n", b"\r\n"), each(packed("base64"))):
        box = shop(tmp_path)
        result = box.apply(rewrite(mailbox))
        assert result.result == "applied", result.errors
        assert box.state() == after
        box.root.rename(tmp_path / f"done-{id(rewrite)}")


def test_a_series_is_taken_back_as_one(commits: tuple[bytes, dict[str, bytes]], tmp_path: Path) -> None:
    box = shop(tmp_path)
    before = box.state()
    receipt = box.apply(commits[0]).receipt
    assert receipt is not None
    assert revert(receipt, box.root).result == "applied"
    assert box.state() == before


def test_a_mail_that_does_not_fit_stops_all_of_it(commits: tuple[bytes, dict[str, bytes]], tmp_path: Path) -> None:
    box = shop(tmp_path)
    box.write("src/shop/cart.py", CART.replace("total = Decimal(0)", "total = Decimal('0')"))
    result = box.unchanged(commits[0])
    assert result.result == "conflict"
    assert result.errors[0].path == "src/shop/cart.py"


@pytest.mark.parametrize("cut", [0.5, 0.7, 0.9])
def test_a_series_that_was_cut_off(commits: tuple[bytes, dict[str, bytes]], tmp_path: Path, cut: float) -> None:
    text = commits[0]
    box = shop(tmp_path)
    result = box.unchanged(text[: int(len(text) * cut)])
    assert result.result == "refused"


def test_the_last_mail_is_missing(commits: tuple[bytes, dict[str, bytes]], tmp_path: Path) -> None:
    """Nothing shows that a mail is whole but its numbers, and those say so."""
    text = commits[0]
    box = shop(tmp_path)
    result = box.apply(b"".join(mails_of(text)[:-1]))
    assert [repair.code for repair in result.repairs] == ["series-order"]


def test_mails_in_the_wrong_order(commits: tuple[bytes, dict[str, bytes]], tmp_path: Path) -> None:
    mails = mails_of(commits[0])
    result = shop(tmp_path).unchanged(mails[2] + mails[1] + mails[3])
    assert result.result == "conflict"


@pytest.mark.parametrize("path", [b"../x", b"/x", b".git/config", b"a/../../x"])
def test_a_mail_that_leads_out(commits: tuple[bytes, dict[str, bytes]], tmp_path: Path, path: bytes) -> None:
    bad = commits[0].replace(b"src/shop/cart.py", path)
    assert shop(tmp_path).unchanged(bad).errors[0].code.startswith("path-")
