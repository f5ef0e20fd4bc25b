"""What a mail around a patch says: who wrote it, its title, its message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from vibehq_tui.patches.errors import refuse

_START: Final = re.compile(rb"(?:From [0-9a-f]{40} |From: |Subject: |Date: )")
_FIELD = re.compile(rb"([A-Za-z][A-Za-z-]*):[ \t]*(.*)", re.DOTALL)
_TAG = re.compile(r"^\s*(?:\[[^\]]*PATCH[^\]]*\]\s*)+", re.IGNORECASE)
_MOST_LINES: Final = 2000


@dataclass(frozen=True, slots=True)
class Mail:
    """Header and message of a mail; all None when the text is no mail."""

    title: str | None = None
    message: str | None = None
    author: str | None = None


def read_mail(lines: list[bytes]) -> Mail:
    """The mail that starts a patch text.

    :raises PatchRefused: when the body is encoded, so that the diff in it is not what it seems.
    """
    if not lines or _START.match(lines[0]) is None:
        return Mail()
    fields, at = read_fields(lines)
    encoding = fields.get("content-transfer-encoding", "").strip().lower()
    if encoding in ("quoted-printable", "base64"):
        raise refuse(
            "mail-encoding", f"the mail is encoded as {encoding}", hint="say that it is a mailbox, with --format mbox"
        )
    body: list[str] = []
    for line in lines[at : at + _MOST_LINES]:
        if line.rstrip() == b"---" or line.startswith((b"diff --git ", b"--- ")):
            break
        body.append(line.decode("utf-8", "replace").rstrip())
    title = _TAG.sub("", decoded_header(fields.get("subject", ""))).strip()
    return Mail(title or None, "\n".join(body).strip() or None, decoded_header(fields.get("from", "")).strip() or None)


def read_fields(lines: list[bytes]) -> tuple[dict[str, str], int]:
    """The header of a mail, folded lines joined, by name in small letters; and the index of the line behind it."""
    fields: dict[str, str] = {}
    name = ""
    at = 1 if lines[0].startswith(b"From ") else 0
    while at < min(len(lines), _MOST_LINES) and lines[at].strip():
        line = lines[at].rstrip(b"\r\n")
        match = _FIELD.match(line)
        if line[:1] in (b" ", b"\t") and name:
            fields[name] += " " + line.strip().decode("utf-8", "replace")
        elif match is not None:
            name = match[1].decode().lower()
            fields.setdefault(name, match[2].decode("utf-8", "replace"))
        else:
            break
        at += 1
    return fields, at


def decoded_header(value: str) -> str:
    """A header with its encoded words (``=?UTF-8?q?…?=``) read."""
    if "=?" not in value:
        return value
    from email.errors import HeaderParseError  # noqa: PLC0415 - a large package for a rare case
    from email.header import decode_header, make_header  # noqa: PLC0415 - as above

    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return value
