"""JSON Schemas of everything that goes over the wire, from the very classes that read and write it."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import types
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from pydantic import Field, TypeAdapter, create_model

from storage.clock import Millis
from storage.records import RECORDS
from vibehq_tui.contracts.documents import ErrorDocument, Listing, Receipt, ReceiptSeries, TaskProblem
from vibehq_tui.contracts.messages import FeedEvent, PatchEvent, WebSocketMessage
from vibehq_tui.contracts.operations import PatchBatch, PatchOperation
from vibehq_tui.contracts.wire import Wire

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_TIME: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
_DOCUMENTS: Final[dict[str, Any]] = {
    "PatchOperation": PatchOperation,
    "PatchBatch": PatchBatch,
    "PatchEvent": PatchEvent,
    "FeedEvent": FeedEvent,
    "WebSocketMessage": WebSocketMessage,
    "Receipt": Receipt,
    "ReceiptSeries": ReceiptSeries,
    "TaskProblem": TaskProblem,
    "Listing": Listing,
    "Error": ErrorDocument,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Name → JSON Schema (2020-12) of every wire model and every record, in a fixed order."""
    found: dict[str, dict[str, Any]] = {}
    for name, kind in _DOCUMENTS.items():
        schema = TypeAdapter(kind).json_schema(by_alias=True)
        found[name] = {"$schema": DIALECT, **schema, "title": name}
    for record in RECORDS:
        schema = record_model(record).model_json_schema(by_alias=True)
        found[record.__name__] = {"$schema": DIALECT, **schema, "title": record.__name__}
    return found


@cache
def record_model(record: type) -> type[Wire]:
    """A model of what :func:`storage.records.to_wire` prints for a record: every field present, times as text."""
    hints = get_type_hints(record)
    notes = _field_notes(record)
    fields: dict[str, Any] = {}
    for one in dataclasses.fields(record):
        note = notes.get(one.name)
        fields[one.name] = (_wire_type(hints[one.name]), Field(description=note) if note else Field())
    return create_model(record.__name__, __base__=Wire, __doc__=inspect.getdoc(record), **fields)


def _wire_type(hint: Any) -> Any:
    """What a Python type of a record is on the wire."""
    if hint is Millis:
        return Annotated[str, Field(pattern=_TIME, json_schema_extra={"format": "date-time"})]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return record_model(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        return types.GenericAlias(list, (_wire_type(args[0]),))
    if origin in (Union, types.UnionType):
        return Union[tuple(_wire_type(arg) for arg in args)]  # noqa: UP007 - built from parts
    return hint


def _field_notes(record: type) -> dict[str, str]:
    """The string below each field of a dataclass, which says what it means."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(record)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    notes: dict[str, str] = {}
    for field, below in pairwise(body):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            notes[field.target.id] = inspect.cleandoc(below.value.value)
    return notes
