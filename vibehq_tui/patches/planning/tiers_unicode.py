"""Characters that look alike, as one: dashes, quotes, spaces, composed letters and what is invisible."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_LIKE: Final = {
    # Hyphens, dashes and the minus sign.
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63\uff0d",
    "'": "\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4\uff07",
    '"': "\u201c\u201d\u201e\u201f\u2033\uff02",
    " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "...": "\u2026",
    "": "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f",
}
_PLAIN: Final = {char: plain for plain, chars in _LIKE.items() for char in chars}
_ANY: Final = re.compile("[" + "".join(map(re.escape, _PLAIN)) + "]")


def plain(text: bytes) -> bytes:
    """The text with every character that looks like another one replaced by that one. No line gets lost or new."""
    decoded = text.decode("utf-8", "surrogateescape")
    composed = unicodedata.normalize("NFC", decoded)
    return _ANY.sub(lambda match: _PLAIN[match[0]], composed).encode("utf-8", "surrogateescape")
