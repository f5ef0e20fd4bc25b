"""Finds secrets in text, and takes them out.

Two kinds of rules: the published shapes of the keys of well-known providers, and values of high entropy that are
assigned to a name such as ``api_key`` or ``password``. All work in time linear in the text: a rule starts only where a
literal of its own stands, and reads a bounded number of characters from there (a private key block: each line once).

A :class:`SecretHit` never carries the secret, not even a hash of it: a short one could be found again by trying.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretHit:
    """Where a secret stands, and what kind it is."""

    rule: str
    """Such as ``aws-access-key``; a key of :data:`RULES`."""
    line: int
    """From 1."""
    column: int
    """From 1, in characters."""
    redacted: str
    """What may be shown: the public prefix and the length, such as ``AKIA*** (20 characters)``."""


@dataclass(frozen=True, slots=True)
class _Rule:
    title: str
    literals: tuple[str, ...]
    """One of these stands at the beginning of each match."""
    pattern: str
    """Matched where a literal stands; the group ``secret``, if there is one, else all of it, is the secret."""
    public: int = 0
    """How many of its first characters say what it is and are no secret."""
    check: Callable[[str], bool] | None = None
    """Says whether what matched is one indeed."""


def _is_web_token(text: str) -> bool:
    """The first part of a JSON Web Token is base64 of a JSON object that names the algorithm."""
    head = text.split(".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


_PASSWORD_WORDS: Final = frozenset(
    ("password", "pass", "passwd", "pwd", "secret", "user", "username", "postgres", "mysql", "root", "admin", "guest")
)


def _is_url_password(text: str) -> bool:
    """A password inside an address, unless it is a stand-in."""
    return text.lower() not in _PASSWORD_WORDS and not _is_stand_in(text)


RULES: Final[dict[str, _Rule]] = {
    "aws-access-key": _Rule(
        "AWS access key id", ("AKIA", "ASIA", "ABIA", "ACCA"), r"A(?:KI|SI|BI|CC)A[A-Z0-9]{16}(?![A-Za-z0-9])", 4
    ),
    "github-token": _Rule(
        "GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{36,255}(?![A-Za-z0-9])", 4
    ),
    "github-fine-grained-token": _Rule(
        "GitHub fine-grained token", ("github_pat_",), r"github_pat_[A-Za-z0-9_]{22,255}(?![A-Za-z0-9_])", 11
    ),
    "gitlab-token": _Rule(
        "GitLab token",
        ("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "gloas-", "glft-", "glimt-", "glagent-", "glsoat-"),
        r"gl(?:pat|dt|rt|ptt|cbt|oas|ft|imt|agent|soat)-[A-Za-z0-9_.-]{20,300}",
        6,
    ),
    "slack-token": _Rule(
        "Slack token",
        ("xoxa-", "xoxb-", "xoxe-", "xoxe.", "xoxo-", "xoxp-", "xoxr-", "xoxs-"),
        r"xox[abeoprs][-.][A-Za-z0-9.-]{20,300}",
        5,
    ),
    "slack-app-token": _Rule("Slack app token", ("xapp-",), r"xapp-\d-[A-Za-z0-9-]{20,200}", 5),
    "slack-webhook": _Rule(
        "Slack webhook address",
        ("hooks.slack.com/",),
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9+/]{40,80})",
    ),
    "anthropic-key": _Rule("Anthropic key", ("sk-ant-",), r"sk-ant-[a-z]{2,10}\d{2}-[A-Za-z0-9_-]{32,200}", 7),
    "openai-key": _Rule(
        "OpenAI key",
        ("sk-",),
        r"sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40,250}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{48})"
        r"(?![A-Za-z0-9])",
        3,
    ),
    "openrouter-key": _Rule("OpenRouter key", ("sk-or-",), r"sk-or-v1-[a-f0-9]{64}(?![A-Za-z0-9])", 9),
    "google-api-key": _Rule("Google API key", ("AIza",), r"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])", 4),
    "google-oauth-secret": _Rule(
        "Google OAuth client secret", ("GOCSPX-",), r"GOCSPX-[A-Za-z0-9_-]{28}(?![A-Za-z0-9_-])", 7
    ),
    "google-oauth-token": _Rule("Google OAuth access token", ("ya29.",), r"ya29\.[A-Za-z0-9_-]{20,500}", 5),
    "stripe-key": _Rule(
        "Stripe key",
        ("sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_prod_", "rk_prod_"),
        r"[sr]k_(?:live|test|prod)_[A-Za-z0-9]{16,250}(?![A-Za-z0-9])",
        8,
    ),
    "stripe-webhook-secret": _Rule("Stripe webhook secret", ("whsec_",), r"whsec_[A-Za-z0-9+/=]{32,100}", 6),
    "npm-token": _Rule("npm token", ("npm_",), r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])", 4),
    "pypi-token": _Rule("PyPI token", ("pypi-AgE",), r"pypi-AgE[A-Za-z0-9_-]{50,500}", 5),
    "huggingface-token": _Rule("Hugging Face token", ("hf_",), r"hf_[A-Za-z0-9]{34,40}(?![A-Za-z0-9])", 3),
    "groq-key": _Rule("Groq key", ("gsk_",), r"gsk_[A-Za-z0-9]{52}(?![A-Za-z0-9])", 4),
    "xai-key": _Rule("xAI key", ("xai-",), r"xai-[A-Za-z0-9]{70,90}(?![A-Za-z0-9])", 4),
    "sendgrid-key": _Rule("SendGrid key", ("SG.",), r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])", 3),
    "digitalocean-token": _Rule(
        "DigitalOcean token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"do[opr]_v1_[a-f0-9]{64}(?![a-z0-9])", 7
    ),
    "docker-token": _Rule("Docker Hub token", ("dckr_pat_",), r"dckr_pat_[A-Za-z0-9_-]{27}(?![A-Za-z0-9_-])", 9),
    "azure-storage-key": _Rule("Azure storage key", ("AccountKey=",), r"AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)"),
    "json-web-token": _Rule(
        "JSON Web Token",
        ("eyJ",),
        r"eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{16,2000}(?![A-Za-z0-9_-])",
        3,
        _is_web_token,
    ),
    "url-password": _Rule(
        "Password in an address",
        ("://",),
        r"://[^\s:/@\"'<>{}$]{0,100}:(?P<secret>[^\s:/@\"'<>{}$]{3,200})@",
        0,
        _is_url_password,
    ),
    "private-key": _Rule(
        "Private key", ("-----BEGIN ",), r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    ),
    "secret-assignment": _Rule("Value that looks secret", (), ""),
}
"""Every rule by its id. The last two are found by code of their own, below."""

_SPECIAL: Final = ("private-key", "secret-assignment")
_TOKEN_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    rule: str
    redacted: str


def find_secrets(text: str) -> list[SecretHit]:
    """Every secret in ``text``, in order of place; one that several rules know is told once."""
    spans = _spans(text)
    if not spans:
        return []
    starts = [0]
    place = text.find("\n")
    while place >= 0:
        starts.append(place + 1)
        place = text.find("\n", place + 1)
    hits = []
    for span in spans:
        line = bisect_right(starts, span.start)
        hits.append(
            SecretHit(rule=span.rule, line=line, column=span.start - starts[line - 1] + 1, redacted=span.redacted)
        )
    return hits


def find_secrets_in_lines(lines: Iterable[tuple[int, str]]) -> list[SecretHit]:
    """Secrets in numbered lines of one file, such as those that a patch adds; a private key spans several of them.

    :param lines: ``(number, text)`` in order; the numbers are those of the hits.
    """
    numbers, texts = [], []
    for number, text in lines:
        numbers.append(number)
        texts.append(text.replace("\n", " "))
    return [replace(hit, line=numbers[hit.line - 1]) for hit in find_secrets("\n".join(texts))]


def redact(text: str) -> str:
    """The text with every secret replaced by ``[redacted RULE]``."""
    parts, done = [], 0
    for span in _spans(text):
        parts += [text[done : span.start], f"[redacted {span.rule}]"]
        done = span.end
    return "".join([*parts, text[done:]]) if parts else text


def _spans(text: str) -> list[_Span]:
    """What to take out, in order and without overlap; where rules overlap, the more telling one stands."""
    found = list(_private_keys(text))
    for name, rule in RULES.items():
        if name not in _SPECIAL:
            found += _by_rule(text, name, rule)
    known = sorted(found, key=lambda span: (span.start, -span.end))
    kept: list[_Span] = []
    for span in known:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    starts = [span.start for span in kept]
    extra = []
    for span in _assignments(text):
        before = bisect_right(starts, span.end - 1) - 1
        if before < 0 or kept[before].end <= span.start:
            extra.append(span)
    return sorted([*kept, *extra], key=lambda span: span.start) if extra else kept


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _by_rule(text: str, name: str, rule: _Rule) -> Iterator[_Span]:
    for literal in rule.literals:
        place = text.find(literal)
        while place >= 0:
            after = place + len(literal)
            # in the middle of a longer word it is a part of something else (base64, a path)
            inside = literal[0].isalnum() and place > 0 and text[place - 1] in _TOKEN_CHARACTERS
            match = None if inside else _compiled(rule.pattern).match(text, place)
            if match:
                group = "secret" if "secret" in match.re.groupindex else 0
                secret = match.group(group)
                if not _is_monotonous(secret[rule.public :]) and (rule.check is None or rule.check(secret)):
                    yield _Span(match.start(group), match.end(group), name, _mask(secret, rule.public))
                    after = match.end()
            place = text.find(literal, after)


def _mask(secret: str, public: int) -> str:
    return f"{secret[:public]}*** ({len(secret)} characters)"


# Private key blocks

_KEY_REST: Final = re.compile(r"(?:\\[nr]|[^A-Za-z0-9\n]){0,40}\n")
_KEY_LINE: Final = re.compile(r"[^A-Za-z0-9+/=\\\n]{0,40}[A-Za-z0-9+/=\\]{16,}")
_KEY_LAST_LINE: Final = re.compile(r"[^A-Za-z0-9+/=\\\n]{0,40}[A-Za-z0-9+/=\\]{1,16}[^A-Za-z0-9\n]{0,10}(?=\n|$)")
_KEY_HEADER: Final = re.compile(r"[^A-Za-z\n]{0,40}(?:(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash): |$)")
_KEY_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,60}-----")


def _private_keys(text: str) -> Iterator[_Span]:
    """Blocks from BEGIN to END. The words alone, as in code that looks for them, are none: a body must follow."""
    begin = _compiled(RULES["private-key"].pattern)
    place = text.find("-----BEGIN ")
    while place >= 0:
        match = begin.match(text, place)
        end = _end_of_key(text, match.end()) if match else None
        if match and end is not None:
            yield _Span(match.start(), end, "private-key", f"{match.group()} *** ({end - match.start()} characters)")
        place = text.find("-----BEGIN ", end or place + 1)


def _end_of_key(text: str, start: int) -> int | None:
    """Where the key ends whose body begins at ``start``; none when there is no body. Reads each line once."""
    if _KEY_LINE.match(text, start):
        # a key written into one string, with \n between its lines
        return _end_of_line(text, start)
    rest = _KEY_REST.match(text, start)
    if rest is None:
        return None
    place, end = rest.end(), None
    while place < len(text):
        line_end = text.find("\n", place)
        line_end = len(text) if line_end < 0 else line_end
        if _KEY_LINE.match(text, place) or (end and _KEY_LAST_LINE.match(text, place)):
            end = line_end
        elif end is not None:
            closing = _KEY_END.search(text, place, min(line_end, place + 200))
            return closing.end() if closing else end
        elif not _KEY_HEADER.match(text, place, line_end):
            return None
        place = line_end + 1
    return end


def _end_of_line(text: str, start: int) -> int:
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    closing = _KEY_END.search(text, start, line_end)
    return closing.end() if closing else line_end


# Assignments

_NAME_WORDS: Final = (
    "password", "passwd", "passphrase", "secret", "token",
    "api_key", "apikey", "api-key", "access_key", "accesskey", "access-key",
    "private_key", "privatekey", "auth_key", "authkey", "encryption_key", "signing_key", "credential", "credentials",
)  # fmt: skip
_NAME_END: Final = re.compile(
    r"(?P<rest>[\w.-]{0,40})[\"']?\]?(?:\s{0,5}:\s{0,3}[A-Za-z]{1,12})?\s{0,5}(?::=|=>|=|:)\s{0,5}"
)
_QUOTED: Final = re.compile(r"[a-zA-Z]{0,2}([\"'`])(?P<value>[^\"'`\s\\]{16,200})\1")
_BARE: Final = re.compile(r"(?P<value>[A-Za-z0-9+/_.~=-]{16,200})(?=[ \t\r]{0,20}(?:\n|$|#))")
_HARMLESS_NAMES: Final = re.compile(
    r"(?i)[_.-]?(?:name|path|file|filename|url|uri|endpoint|id|ids|type|field|label|hint|class|len|length|count|prefix|suffix"
    r"|header|pattern|regex|algorithm|expiry|expires|ttl|ref|arn|env|var|version|hash|digest|sha|sha256|checksum|integrity"
    r"|format|policy|provider|store|manager|service|address|public|scope|scopes|usage|limit|size)$"
)
_STAND_INS: Final = re.compile(
    r"(?i)example|change.?me|placeholder|your[_.-]|x{4}|dummy|redacted|sample|insert|replace|fake|todo|undefined|secret"
    r"|password|passwd|token|\*{3}|\.{3}|12345678|abcdefgh|(?:^|[_.-])(?:test|tests|testing|mock|none|null|my|foo|bar)(?:[_.-]|$)"
)
_WORD_PART: Final = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z]+)\d{0,2}|\d{1,4}|")


def _assignments(text: str) -> Iterator[_Span]:
    lower = text.lower()
    if len(lower) != len(text):
        # a few letters grow when lowered; places would no longer agree
        lower = "".join(character.lower() if character.isascii() else character for character in text)
    done = -1
    for place, word in sorted(_places(lower, _NAME_WORDS)):
        if place <= done:
            continue
        after = place + len(word)
        if _goes_on(text, place, after):
            continue
        name = _NAME_END.match(text, after)
        if name is None or _HARMLESS_NAMES.search(name.group("rest")):
            continue
        value = _QUOTED.match(text, name.end()) or _BARE.match(text, name.end())
        if value is None:
            continue
        done = value.end()
        if _looks_random(value.group("value")):
            yield _Span(value.start("value"), value.end("value"), "secret-assignment", _mask(value.group("value"), 0))


def _places(text: str, words: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    for word in words:
        place = text.find(word)
        while place >= 0:
            yield place, word
            place = text.find(word, place + len(word))


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether the word is only the beginning of another: ``tokenizer``, ``TOKENIZER``, but not ``tokenValue``."""
    following = text[end : end + 1]
    return following.islower() or (following.isupper() and text[start:end].isupper())


def _looks_random(value: str) -> bool:
    if _is_stand_in(value) or value.startswith(("http", "/", "./", "../", "~/", "file:")):
        return False
    if not any(character.isdigit() for character in value) or not any(character.isalpha() for character in value):
        return False
    # names of things, such as bert-base-uncased-v2 or module.submodule.attribute2
    if all(_WORD_PART.fullmatch(part) for part in re.split(r"[-_./:+=]", value)):
        return False
    hexadecimal = all(character in "0123456789abcdefABCDEF-" for character in value)
    return _entropy(value) >= (3.0 if hexadecimal and len(value) >= 32 else 3.5)


def _is_stand_in(value: str) -> bool:
    """Something that a reader is meant to replace, or that a program fills in."""
    return any(mark in value for mark in ("${", "{{", "<", ">", "$(", "%(", "(", ")")) or bool(_STAND_INS.search(value))


def _is_monotonous(value: str) -> bool:
    return _entropy(value) < 2.0


def _entropy(value: str) -> float:
    """Shannon entropy in bits per character."""
    total = len(value)
    return -sum(count / total * math.log2(count / total) for count in Counter(value).values()) if total else 0.0
