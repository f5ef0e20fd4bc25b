"""Events of patches as others post them, and the messages of the WebSocket hub."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from vibehq_tui.contracts.events import PATCH_EVENT_TYPES
from vibehq_tui.contracts.wire import Id, Wire


def _known_type(value: str) -> str:
    if value in PATCH_EVENT_TYPES:
        return value
    near = difflib.get_close_matches(value, PATCH_EVENT_TYPES, 1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(PATCH_EVENT_TYPES))}"
    raise ValueError(f"{value!r} is not the type of a patch event; {hint}")


PatchEventType = Annotated[
    str, AfterValidator(_known_type), Field(json_schema_extra={"enum": sorted(PATCH_EVENT_TYPES)})
]
"""One of the ``patch.`` constants of :mod:`vibehq_tui.contracts.events`."""

Moment = Annotated[AwareDatetime, Field(strict=False)]
"""An ISO 8601 time with its zone, such as ``2026-03-01T12:00:00.000Z``."""


class PatchEvent(Wire):
    """A step of a patch, as an external tool reports it."""

    type: PatchEventType
    patch_id: Id
    order_id: Id | None = None
    """Of the batch that the patch came from."""
    task_id: Id | None = None
    actor: str | None = None
    """Who or what did it."""
    at: Moment | None = None
    """When; the time of its arrival where it is left out."""
    message: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class FeedEvent(Wire):
    """An event of the feed, as subscribers get it: the record ``Event``."""

    seq: int
    """The position in the feed; a cursor."""
    type: str
    at: Moment
    actor: str
    subject: str = ""
    subject_id: Id = ""
    task: Id | None = None
    message: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class AuthMessage(Wire):
    """The first message of a client."""

    type: Literal["auth"]
    token: str
    cursor: Annotated[int, Field(ge=0)] | None = None
    """The last event that the client has seen; the feed goes on after it."""


class Filters(Wire):
    """What a subscriber wants of a channel; each that is given must match."""

    types: list[str] | None = None
    """Event types; ``patch.*`` stands for all that begin so."""
    tasks: list[Id] | None = None
    patches: list[Id] | None = None
    actors: list[str] | None = None


class SubscribeMessage(Wire):
    """Asks for a channel."""

    type: Literal["subscribe"]
    channel: str
    filters: Filters | None = None


class UnsubscribeMessage(Wire):
    """Asks for no more of a channel."""

    type: Literal["unsubscribe"]
    channel: str


class DataMessage(Wire):
    """Something on a channel that is no event: a record, a log line, an answer."""

    type: Literal["data"]
    channel: str
    payload: Any = None


class EventMessage(Wire):
    """An event on a channel."""

    type: Literal["event"]
    channel: str
    event: FeedEvent


WebSocketMessage = Annotated[
    AuthMessage | SubscribeMessage | UnsubscribeMessage | DataMessage | EventMessage, Field(discriminator="type")
]
"""One message in either direction; ``type`` says which."""
