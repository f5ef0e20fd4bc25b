"""Wire models refuse what is wrong and say precisely what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import Refused
from vibehq_tui.contracts.operations import PatchBatch, PatchOperation
from vibehq_tui.contracts.wire import read_wire
from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.formats.operations import parse_operations

GOOD: list[dict[str, Any]] = [
    {"op": "replace-block", "file": "a.py", "start": 3, "end": 3, "block": "x\n"},
    {"op": "insert-before", "file": "a.py", "line": 1, "block": "x\n", "openSpace": True},
    {"op": "insert-after", "file": "a.py", "marker": "imports", "blockFile": "b.txt"},
    {"op": "append", "file": "a.py", "block": "x", "openSpace": 2},
    {"op": "prepend", "file": "a.py", "block": "x"},
    {"op": "replace-between", "file": "a.py", "startMarker": "a", "endMarker": "b", "block": "x"},
    {"op": "create", "file": "b.py", "block": "x"},
    {"op": "delete", "file": "b.py"},
    {"op": "move", "file": "b.py", "to": "c/b.py"},
]

BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"op": "replace-blok", "file": "a"}, "op", "'replace-blok' is not known; it is one of append, create,"),
    ({"file": "a"}, "op", "is missing; it is one of append,"),
    ({"op": "replace-block", "file": "a", "strat": 1, "block": ""}, "strat", "did you mean start?"),
    ({"op": "replace-block", "file": "a", "start": 1, "block": ""}, "end", "is missing"),
    ({"op": "replace-block", "file": "a", "start": 0, "end": 1, "block": ""}, "start", "greater than or equal to 1"),
    ({"op": "replace-block", "file": "a", "start": "1", "end": 1, "block": ""}, "start", "valid integer"),
    ({"op": "replace-block", "file": "a", "start": True, "end": 1, "block": ""}, "start", "valid integer"),
    ({"op": "replace-block", "file": "a", "start": 3, "end": 2, "block": ""}, "", "end (2) is before start (3)"),
    ({"op": "append", "file": "a", "block": "x", "blockFile": "y"}, "", "one of the two"),
    ({"op": "append", "file": "a"}, "", "one of the two"),
    ({"op": "append", "file": "a", "block": ""}, "", "nothing to add"),
    (
        {"op": "replace-between", "file": "a", "startMarker": "", "endMarker": "b", "block": "x"},
        "startMarker",
        "at least",
    ),
    ({"op": "append", "file": "", "block": "x"}, "file", "at least 1 character"),
    ({"op": "insert-after", "file": "a", "block": "x"}, "", "line or marker"),
    ({"op": "move", "file": "a"}, "to", "is missing"),
    ({"op": "delete", "file": "a", "block": "x"}, "block", "no field of this name"),
]


@pytest.mark.parametrize("operation", GOOD, ids=lambda one: str(one["op"]))
def test_an_operation_comes_back_as_it_was(operation: dict[str, Any]) -> None:
    batch = read_wire(PatchBatch, {"orderId": "7", "taskId": 12, "patches": [operation]}, "the batch")
    assert batch.task_id == "12"
    wire = batch.to_wire()
    assert wire["patches"][0].items() >= operation.items()
    assert read_wire(PatchBatch, wire, "the batch") == batch


@pytest.mark.parametrize(("operation", "path", "message"), BAD)
def test_what_is_wrong_is_said(operation: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(Refused) as caught:
        read_wire(PatchBatch, {"patches": [GOOD[0], operation]}, "the batch")
    errors = caught.value.details["errors"]
    full = f"patches[1].{path}" if path else "patches[1]"
    assert any(one["path"] == full and message in one["message"] for one in errors), errors
    assert caught.value.code == "invalid-document"


def test_a_bad_operation_alone_names_the_allowed_ones() -> None:
    with pytest.raises(Refused) as caught:
        read_wire(PatchOperation, {"op": "zap"}, "the operation")
    (error,) = caught.value.details["errors"]
    assert error["path"] == "op"
    assert error["allowed"] == sorted(one["op"] for one in GOOD)


@pytest.mark.parametrize("operation", GOOD, ids=lambda one: str(one["op"]))
def test_the_engine_takes_what_the_contract_takes(operation: dict[str, Any]) -> None:
    batch = read_wire(PatchBatch, {"requester": "ada", "patches": [operation]}, "the batch")
    parsed = parse_operations(json.dumps(batch.to_wire()).encode())
    assert (parsed.author, len(parsed.changes)) == ("ada", 1)


@pytest.mark.parametrize(("operation", "path", "message"), BAD)
def test_the_engine_refuses_what_the_contract_refuses(operation: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(PatchRefused):
        parse_operations(json.dumps({"patches": [operation]}).encode())


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000, '{"patches": []}', "[]", "null"])
def test_text_that_is_no_batch_is_refused(text: str | bytes) -> None:
    with pytest.raises(Refused, match="the batch is not valid"):
        read_wire(PatchBatch, text, "the batch")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["op", "file", "patches", "block", "x"]), inner)
    ),
    max_leaves=10,
)


@given(json_values)
def test_any_json_is_a_batch_or_refused(value: Any) -> None:
    if not isinstance(value, dict):
        value = {"patches": value}
    with pytest.raises(Refused) as caught:
        read_wire(PatchBatch, value | {"unknown": 1}, "the batch")
    assert all(set(one) >= {"path", "message"} for one in caught.value.details["errors"])
