"""Mailboxes: a series of patches, each a mail with an author and a message, each made on top of the one before.

Source: ``git mailsplit`` and ``git mailinfo``. As there, a line that looks like the head of a mail starts one, the diff
stands behind the message, and ``From:`` at the start of the body counts more than that of the head. Unlike there, a
mail is never cut at scissors, and a mail that lost its diff is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.formats.diffs import parse_diff
from vibehq_tui.patches.formats.lines import is_blank, split_text
from vibehq_tui.patches.formats.mail import decoded_header, read_fields
from vibehq_tui.patches.model import Change, ParsedPatch, Problem, Repair

if TYPE_CHECKING:
    from email.message import Message

_ENCODED: Final = ("quoted-printable", "base64")
_PREFIX: Final = re.compile(r"^\s*(?:(?:re|aw|fwd?):\s*)*((?:\[[^\]]*\]\s*)*)", re.IGNORECASE)
_PATCH: Final = re.compile(r"\[[^\]]*\bPATCH\b[^\]]*\]", re.IGNORECASE)
_COUNTED: Final = re.compile(r"\b(\d{1,4})/(\d{1,4})\b")
_QUOTED_FROM: Final = re.compile(r"^>(>*From )", re.MULTILINE)
_DIFF_START: Final = re.compile(rb"^(?:diff --git |--- [^\r\n]*\r?\n\+\+\+ |Index: )", re.MULTILINE)
_FLOWED: Final = re.compile(r"format\s?=\s?\"?flowed", re.IGNORECASE)
_INNER: Final = ("from", "subject", "date")
_LONGEST: Final = 2000
"""Characters of a header field that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mail:
    """A mail, taken apart."""

    first: int
    """The index of its first line in the mailbox."""
    subject: str
    author: str | None
    message: str
    body: bytes
    number: int | None
    """2 of ``[PATCH 2/5]``."""
    total: int | None
    tagged: bool
    """The subject says that it is a patch."""
    encoded: bool
    """The body was decoded."""

    @property
    def title(self) -> str:
        """The subject without the tags in front."""
        return _PREFIX.sub("", self.subject).strip()


def is_from_line(line: bytes) -> bool:
    """Whether a line starts a mail, by the rule of git: ``From``, something, a time of day and a year."""
    text = line.rstrip(b"\r\n")
    if len(text) < 20 or not text.startswith(b"From "):
        return False
    colon = text.rfind(b":", 5)
    if colon < 9 or colon + 2 >= len(text):
        return False
    digits = text[colon - 4 : colon - 3] + text[colon - 2 : colon] + text[colon + 1 : colon + 3]
    year = text[colon + 3 :].split()
    return digits.isdigit() and len(digits) == 5 and any(part.isdigit() and int(part[:9]) > 90 for part in year)


def parse_mbox(text: bytes) -> ParsedPatch:
    """Reads every mail in ``text``.

    :raises PatchRefused: when a mail cannot be read with certainty, or none has a diff.
    """
    lines, unfinished = split_text(text)
    starts = [at for at, line in enumerate(lines) if line.startswith(b"From ") and is_from_line(line)]
    if not starts or any(not is_blank(line) for line in lines[: starts[0]]):
        starts = [0, *starts]
    mails = [_read(lines[start:end], start) for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    parts: list[ParsedPatch] = []
    repairs: list[Repair] = []
    read: list[_Mail] = []
    cover: _Mail | None = None
    hunks = 0
    binary = 0
    for position, mail in enumerate(mails, 1):
        if _DIFF_START.search(mail.body) is None and b"GIT binary patch" not in mail.body:
            if mail.number == 0:
                cover = cover or mail
            else:
                repairs += _skipped(mail, position)
            continue
        part = _parse(mail, position, cut=unfinished and mail is mails[-1] and not mail.encoded)
        repairs += _moved(part.repairs, hunks)
        hunks += sum(max(len(change.hunks), 1) for change in part.changes)  # a file without any counts as one
        parts.append(part)
        binary += _check_binaries(part, binary)
        read.append(mail)
    if not parts:
        raise refuse("no-changes", "there is no mail with a diff in the text")
    repairs += _order(read)
    changes: tuple[Change, ...] = tuple(change for part in parts for change in part.changes)
    authors = {part.author for part in parts}
    return ParsedPatch(
        format="mbox",
        changes=changes,
        repairs=tuple(repairs),
        title=cover.title or None if cover is not None else parts[0].title,
        message=cover.message or None if cover is not None else (parts[0].message if len(parts) == 1 else None),
        author=authors.pop() if len(authors) == 1 else None,
        unfinished=parts[-1].unfinished,
        parts=tuple(parts),
    )


def _skipped(mail: _Mail, position: int) -> list[Repair]:
    """:raises PatchRefused: when the mail says that it is a patch, and has none."""
    if mail.tagged:
        raise refuse(
            "truncated",
            f"mail {position} (line {mail.first + 1}), {mail.title!r}, says that it is a patch, and has no diff",
            hint="get the whole series again",
        )
    message = f"mail {position} (line {mail.first + 1}), {mail.title!r}, has no diff and was left out"
    return [Repair(code="mail-skipped", message=message)]


def _parse(mail: _Mail, position: int, *, cut: bool) -> ParsedPatch:
    body = mail.body
    if cut:
        body = body.removesuffix(b"\n")
    try:
        part = parse_diff(body)
    except PatchRefused as refusal:
        problems = [
            Problem(
                code=item.code,
                path=item.path,
                hunk=item.hunk,
                message=f"mail {position} (line {mail.first + 1}), {mail.title!r}: {item.message}",
            )
            for item in refusal.problems
        ]
        raise PatchRefused(problems, repairs=refusal.repairs, hint=refusal.hint) from None
    return replace(part, title=mail.title or None, message=mail.message or None, author=mail.author)


def _check_binaries(part: ParsedPatch, before: int) -> int:
    """Bytes that the binary files of a mail make; refused when all so far make too many."""
    deltas = [(change.binary, change.path) for change in part.changes if change.binary is not None]
    if not deltas:
        return 0
    from vibehq_tui.patches.formats.binary import check_total, unpacked_size  # noqa: PLC0415 - rarely needed

    size = sum(unpacked_size(delta) for delta, _ in deltas)
    check_total(before + size, deltas[-1][1])
    return size


def _moved(repairs: tuple[Repair, ...], by: int) -> list[Repair]:
    return [item if item.hunk is None else replace(item, hunk=item.hunk + by) for item in repairs]


def _order(mails: list[_Mail]) -> list[Repair]:
    """Says so when the numbers of a series are not those of its order; the order is what counts."""
    numbers = [mail.number for mail in mails if mail.number is not None]
    total = next((mail.total for mail in mails if mail.total is not None), None)
    if not numbers or (numbers == list(range(1, len(numbers) + 1)) and total in (None, len(numbers))):
        return []
    shown = ", ".join(map(str, numbers[:20]))
    message = f"the mails are numbered {shown} of {total}; they were taken in the order in which they stand"
    return [Repair(code="series-order", message=message)]


def _read(lines: list[bytes], first: int) -> _Mail:
    """:raises PatchRefused: when the body is encoded in a way that does not keep diffs as they are."""
    head, at = read_fields(lines)
    if any(_FLOWED.search(value) for value in (head.get("content-type", ""),)):
        raise refuse(
            "mail-encoding",
            f"the mail of line {first + 1} is format=flowed, which changes the blanks of a diff",
            hint="send the patch as an attachment, or with git send-email",
        )
    encoding = head.get("content-transfer-encoding", "").strip().lower()
    multipart = head.get("content-type", "").strip().lower().startswith("multipart/")
    while at < len(lines) and is_blank(lines[at]):
        at += 1
    encoded = multipart or encoding in _ENCODED
    body = _decoded_body(lines, first) if encoded else b"".join(lines[at:])
    inner, message = _message(body)
    subject = inner.get("subject", decoded_header(head.get("subject", "")[:_LONGEST]))
    author = inner.get("from", decoded_header(head.get("from", "")[:_LONGEST]))
    prefix = _PREFIX.match(subject)
    tags = prefix[1] if prefix is not None else ""
    counted = _COUNTED.search(tags)
    return _Mail(
        first=first,
        subject=subject,
        author=author.strip() or None,
        message=message,
        body=body,
        number=int(counted[1]) if counted is not None else None,
        total=int(counted[2]) if counted is not None else None,
        tagged=_PATCH.search(tags) is not None,
        encoded=encoded,
    )


def _decoded_body(lines: list[bytes], first: int) -> bytes:
    """The text of a mail in quoted-printable, base64 or several parts.

    :raises PatchRefused: when it cannot be decoded.
    """
    from email import message_from_bytes  # noqa: PLC0415 - a large package, for encoded mails only

    start = 1 if lines[0].startswith(b"From ") else 0
    try:
        message = message_from_bytes(b"".join(lines[start:]))
        bodies = [part.get_payload(decode=True) for part in _texts(message)]
        sound = bool(bodies) and not any(part.defects for part in message.walk())
    except Exception:  # noqa: BLE001 - the package fails in many ways on mails that are damaged on purpose
        bodies, sound = [], False
    if not sound:
        raise refuse(
            "mail-encoding", f"the mail of line {first + 1} cannot be decoded", hint="get it again, as it was sent"
        )
    texts = [body for body in bodies if isinstance(body, bytes)]
    return b"".join(text if text.endswith(b"\n") or not text else text + b"\n" for text in texts)


def _texts(message: Message) -> list[Message]:
    """The parts of a mail that are text, in order; of alternatives the plain one."""
    if not message.is_multipart():
        kind = message.get_content_type()
        name = str(message.get_filename() or "")
        wanted = kind in ("text/plain", "text/x-patch", "text/x-diff") or name.endswith((".patch", ".diff"))
        return [message] if wanted else []
    parts = [part for part in message.get_payload() if not isinstance(part, str)]
    return [text for part in parts for text in _texts(part)]


def _message(body: bytes) -> tuple[dict[str, str], str]:
    """Fields at the start of a body, and the message behind them, as far as ``---`` or the diff."""
    found = _DIFF_START.search(body)
    text = (body if found is None else body[: found.start()]).decode("utf-8", "replace").replace("\r\n", "\n")
    lines = text.split("\n")
    inner: dict[str, str] = {}
    at = 0
    while at < len(lines):
        name, colon, value = lines[at].partition(":")
        if not colon or name.lower() not in _INNER or name.lower() in inner:
            break
        inner[name.lower()] = decoded_header(value.strip()[:_LONGEST])
        at += 1
        while at < len(lines) and lines[at][:1] in (" ", "\t") and lines[at].strip():
            inner[name.lower()] += " " + lines[at].strip()
            at += 1
    if at and at < len(lines) and lines[at].strip():
        inner, at = {}, 0
    kept: list[str] = []
    for line in lines[at:]:
        if line.rstrip() == "---":
            break
        kept.append(line.rstrip())
    return inner, _QUOTED_FROM.sub(r"\1", "\n".join(kept)).strip()
