"""The exported schemas describe what is really printed."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from pydantic import ValidationError

from storage.clock import Millis
from storage.errors import NotFound
from storage.records import RECORDS, to_wire
from vibehq_tui.contracts.documents import ErrorDocument, Listing, Receipt, ReceiptSeries, TaskProblem
from vibehq_tui.contracts.schemas import record_model, schemas
from vibehq_tui.tasks.problems import TaskProblem as TasksProblem

ROOT = Path(__file__).parents[2]


def sample(hint: Any, full: bool) -> Any:
    """A value of a field of a record: with everything set, or with as little as possible."""
    if hint is Millis:
        return Millis(1_700_000_000_123)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return record(hint, full)
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        return (sample(args[0], full),) if full else ()
    if origin is dict:
        return {"first_key": {"nested_key": 1}} if full else {}
    if type(None) in args:
        return sample(args[0], full) if full else None
    return {str: "text", int: 3, bool: True, float: 1.5}[hint]


def record(kind: type, full: bool) -> Any:
    """A record with sample values."""
    hints = get_type_hints(kind)
    return kind(**{field.name: sample(hints[field.name], full) for field in dataclasses.fields(kind)})


@pytest.mark.parametrize("full", [True, False], ids=["full", "bare"])
@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_what_is_printed_fits_the_schema(kind: type, full: bool) -> None:
    wire = to_wire(record(kind, full))
    model = record_model(kind)
    read = model.model_validate_json(json.dumps(wire))
    assert json.loads(read.model_dump_json(by_alias=True)) == wire
    assert set(schemas()[kind.__name__]["required"]) == set(wire)


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_nothing_else_fits_the_schema(kind: type) -> None:
    wire = to_wire(record(kind, True))
    model = record_model(kind)
    with pytest.raises(ValidationError):
        model.model_validate_json(json.dumps(wire | {"surprise": 1}))
    for key in wire:
        with pytest.raises(ValidationError):
            model.model_validate_json(json.dumps({name: value for name, value in wire.items() if name != key}))


def test_times_are_told_as_iso_text() -> None:
    schema = schemas()["Issue"]
    assert schema["properties"]["firstSeen"]["format"] == "date-time"
    assert schema["properties"]["resolvedAt"]["anyOf"][1] == {"type": "null"}


def test_fields_are_explained() -> None:
    assert schemas()["Task"]["properties"]["position"]["description"] == "Order in the file."


def test_every_schema_stands_alone_and_is_json() -> None:
    found = schemas()
    assert {"PatchOperation", "PatchBatch", "PatchEvent", "WebSocketMessage", "Listing", "Error", "Receipt"} <= set(
        found
    )
    for name, schema in found.items():
        text = json.dumps(schema)
        assert schema["$schema"].startswith("https://json-schema.org/")
        assert schema["title"] == name
        for reference in text.split('"$ref": "#/$defs/')[1:]:
            assert reference.split('"')[0] in schema["$defs"]


def test_unions_say_how_they_are_told_apart() -> None:
    found = schemas()
    assert found["PatchOperation"]["discriminator"]["propertyName"] == "op"
    assert len(found["PatchOperation"]["oneOf"]) == 9
    assert sorted(found["WebSocketMessage"]["discriminator"]["mapping"]) == [
        "auth", "data", "event", "subscribe", "unsubscribe",
    ]  # fmt: skip


def test_the_answers_of_patchctl_fit_their_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\nb\n")
    (tmp_path / "good.diff").write_text("--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n")
    (tmp_path / "junk.diff").write_text("no diff at all\n")
    (tmp_path / "stale.diff").write_text("--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n")

    def patchctl(*arguments: str) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-c", "from vibehq_tui.cli.patchctl import main; main()", *arguments, "--json"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.returncode, json.loads(done.stdout)

    for code, result, arguments in [
        (0, "dry-run", ["apply", "good.diff", "--dry-run"]),
        (1, "refused", ["apply", "junk.diff"]),
        (3, "conflict", ["apply", "stale.diff"]),
        (0, "applied", ["apply", "good.diff", "--check", "true"]),
    ]:
        exit_code, document = patchctl(*arguments)
        receipt = Receipt.model_validate(document)
        assert (exit_code, receipt.result) == (code, result)
    assert receipt.check is not None
    assert receipt.check.exit_code == 0
    exit_code, document = patchctl("apply", "good.diff", "junk.diff")
    series = ReceiptSeries.model_validate(document)
    assert [one.file for one in series.patches] == ["good.diff", "junk.diff"]


def test_a_problem_of_a_tasks_file_fits_its_document() -> None:
    problem = TasksProblem(level="error", code="x", file="f", path="p", line=1, column=2, message="m", allowed=("a",))
    wire = to_wire(problem)
    assert TaskProblem.model_validate(wire).allowed == ["a"]
    assert set(wire) == {field.alias for field in TaskProblem.model_fields.values()}


def test_errors_and_listings_fit_their_documents() -> None:
    wire = NotFound("no task 9", hint="vibehq task list", details={"near": ["8"]}).to_wire()
    assert ErrorDocument.model_validate(wire).error.code == "not-found"
    assert Listing.model_validate({"items": [{"id": "1"}], "next": None}).next is None
