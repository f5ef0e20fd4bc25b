"""Which findings are one issue: a hash over what stays the same about them.

A fingerprint names the version of the algorithm that made it (``1-…``). A later version is added to
:data:`ALGORITHMS`, and issues that were stored under an older one keep being found by it: nothing is regrouped by an
upgrade.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Final

MAX_PATTERN: Final = 4000
"""Characters of a message that count; the rest of an endless one does not."""

_PARAMETERS: Final = (
    ("email", r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"),
    ("url", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>)]{1,2000}"),
    ("uuid", r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"),
    ("date", r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?\b"),
    ("date", r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
             r"[a-z]{0,6} \d{4}(?: \d\d:\d\d(?::\d\d)?)?"),
    ("time", r"\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\b"),
    ("ip", r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?\b"),
    ("ip", r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){2,7}:?[0-9a-fA-F]{1,4}(?![\w:])"),
    ("host", r"\b(?:[a-zA-Z0-9-]{1,63}\.){1,8}(?:com|org|net|io|dev|ai|local|internal|localdomain)(?::\d{1,5})?\b"),
    ("duration", r"\b\d{1,20}(?:\.\d{1,20})? ?"
                 r"(?:ns|us|µs|ms|s|sec|secs|seconds?|min|mins|minutes?|h|hrs?|hours?|d|days?)\b"),
    ("hex", r"\b0x[0-9a-fA-F]{1,64}\b"),
    ("hash", r"\b(?=[0-9a-f]{0,63}[0-9])(?:[0-9a-f]{7,40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})\b"),
    ("path", r"(?<![\w./])(?:~|\.{0,2})/[\w.@+-]{1,255}(?:/[\w.@+-]{1,255}){0,60}/?"),
    ("quoted", r"'[^'\n]{1,400}'|\"[^\"\n]{1,400}\"|`[^`\n]{1,400}`"),
    ("number", r"(?<![\w.])[+-]?\d{1,40}(?:[.,]\d{1,40}){0,6}(?:[eE][+-]?\d{1,4})?%?(?![\w])"),
)  # fmt: skip


def parameterise(message: str) -> str:
    """A message with everything that changes from time to time replaced by what it is: ``<number>``, ``<path>`` …

    Addresses, ids, hashes, dates, durations, paths, quoted values and numbers; white space becomes one space.
    """
    text = message[:MAX_PATTERN]
    for name, pattern in _PARAMETERS:
        text = re.sub(pattern, f"<{name}>", text)
    return " ".join(text.split())


def _version_1(detector: str, key: Sequence[str], pattern: str) -> str:
    parts = (detector, *key, parameterise(pattern))
    # the length before each part keeps ("a", "bc") and ("ab", "c") apart
    content = b"".join(b"%d:%s" % (len(part), part) for part in (p.encode("utf-8", "surrogatepass") for p in parts))
    return hashlib.sha256(content).hexdigest()[:32]


ALGORITHMS: Final[dict[int, Callable[[str, Sequence[str], str], str]]] = {1: _version_1}
"""By version. A version is never changed once it was released."""


def fingerprints(detector: str, key: Sequence[str], pattern: str = "") -> tuple[str, ...]:
    """The fingerprint of a finding by each version, the newest, under which it is stored, first."""
    return tuple(
        f"{version}-{ALGORITHMS[version](detector, key, pattern)}" for version in sorted(ALGORITHMS, reverse=True)
    )
