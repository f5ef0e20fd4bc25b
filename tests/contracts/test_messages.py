"""Events of patches and messages of the hub."""

from __future__ import annotations

from typing import Any

import pytest

from storage.clock import Millis
from storage.errors import Refused
from storage.records import Event, to_wire
from vibehq_tui.contracts import events
from vibehq_tui.contracts.messages import FeedEvent, PatchEvent, WebSocketMessage
from vibehq_tui.contracts.wire import read_wire

EVENT = to_wire(
    Event(seq=4, type="patch.applied", at=Millis(1_700_000_000_123), actor="ada", subject="patch", subject_id="7")
)

MESSAGES: list[dict[str, Any]] = [
    {"type": "auth", "token": "t", "cursor": 12},
    {"type": "subscribe", "channel": "patches", "filters": {"types": ["patch.*"], "tasks": ["12"]}},
    {"type": "unsubscribe", "channel": "patches"},
    {"type": "data", "channel": "logs", "payload": {"any": [1, None]}},
    {"type": "event", "channel": "patches", "event": EVENT},
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: str(one["type"]))
def test_a_message_is_read(message: dict[str, Any]) -> None:
    read = read_wire(WebSocketMessage, message, "the message")
    assert read.type == message["type"]


@pytest.mark.parametrize(
    ("message", "path", "text"),
    [
        ({"type": "publish"}, "type", "it is one of auth, data, event, subscribe, unsubscribe"),
        ({}, "type", "is missing; it is one of auth"),
        ({"type": "subscribe", "chanel": "x"}, "chanel", "did you mean channel?"),
        ({"type": "data", "payload": 1}, "channel", "is missing"),
        ({"type": "auth", "token": "t", "cursor": -1}, "cursor", "greater than or equal to 0"),
        ({"type": "event", "channel": "x", "event": {**EVENT, "at": "noon"}}, "event.at", "datetime"),
    ],
)
def test_a_wrong_message_is_refused(message: dict[str, Any], path: str, text: str) -> None:
    with pytest.raises(Refused) as caught:
        read_wire(WebSocketMessage, message, "the message")
    errors = caught.value.details["errors"]
    assert any(one["path"] == path and text in one["message"] for one in errors), errors


def test_an_event_of_the_feed_is_the_record() -> None:
    assert set(EVENT) == {field.alias for field in FeedEvent.model_fields.values()}
    assert read_wire(FeedEvent, EVENT, "the event").seq == 4


def test_a_patch_event_has_a_known_type() -> None:
    event = read_wire(PatchEvent, {"type": "patch.applied", "patchId": 7}, "the event")
    assert (event.patch_id, event.message, event.data) == ("7", "", {})
    with pytest.raises(Refused, match=r"did you mean patch\.applied\?"):
        read_wire(PatchEvent, {"type": "patch.aplied", "patchId": "7"}, "the event")
    with pytest.raises(Refused, match=r"is not the type of a patch event"):
        read_wire(PatchEvent, {"type": "task.added", "patchId": "7"}, "the event")


def test_there_is_an_event_for_every_step() -> None:
    steps = {
        f"patch.{phase}.{step}"
        for phase in ("processing", "validation", "rollback")
        for step in ("started", "completed", "failed")
    }
    ends = {
        f"patch.{word}" for word in ("received", "validated", "applied", "rejected", "delivered", "delivery.failed")
    }
    assert steps | ends <= events.PATCH_EVENT_TYPES <= events.EVENT_TYPES
