"""What a page of rows is asked by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A filter and an order over one table; the empty query is everything in the table's own order."""

    text: str = ""
    """A substring, whatever its case, of any of the searchable columns."""
    where: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """Column in snake_case → the value it must have, or a tuple of which it must have one. ``""`` means "none" for a
    column that may be empty."""
    order: str | None = None
    """A column, with ``-`` before it for descending; rows that are equal in it keep the table's own order."""


EVERYTHING = Query()
"""No filter, the table's own order."""
