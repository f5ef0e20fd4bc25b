"""What all wire models share: camelCase names, no unknown fields, and errors that say where and what instead.

Only the faces that speak to the outside import this (and with it pydantic): a command line call that does not need a
wire model does not pay for one.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from storage.errors import Refused
from storage.records import camel

DISCRIMINATORS: Final = ("op", "type")
"""The fields that say which member of a union a document is."""


class Wire(BaseModel):
    """A document on the wire: camelCase, closed, immutable, and without guessing (``"12"`` is not a number)."""

    model_config = ConfigDict(
        alias_generator=camel,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        strict=True,
        use_attribute_docstrings=True,
    )

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready, with the names of the wire; fields that are not set are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def _id_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[str, BeforeValidator(_id_text)]
"""An id: a string; a whole number is taken as the string of its digits."""


def read_wire(kind: Any, document: str | bytes | Mapping[str, Any], what: str) -> Any:
    """A validated wire model from JSON text or from what a JSON reader made of it.

    :param kind: a :class:`Wire` model, or a union of them.
    :param what: how the document is called in messages, such as ``"the operation batch"``.
    :raises Refused: ``invalid-document``, with ``details["errors"]``: a list of ``{"path", "message", "allowed"?}``.
    """
    value: Any = document
    if isinstance(document, (str, bytes)):
        try:
            value = json.loads(document)
        except (ValueError, RecursionError) as error:
            raise _refused(what, [{"path": "", "message": f"not JSON: {error}"}]) from None
    try:
        return TypeAdapter(kind).validate_json(json.dumps(value))
    except ValidationError as error:
        problems = [_problem(dict(one), value, kind) for one in error.errors(include_url=False)]
        raise _refused(what, problems) from None


def _refused(what: str, problems: list[dict[str, Any]]) -> Refused:
    first = problems[0]
    where = f" at {first['path']}" if first["path"] else ""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Refused(
        f"{what} is not valid{where}: {first['message']}{more}",
        code="invalid-document",
        hint="vibehq schema prints what is expected",
        details={"errors": problems},
    )


def _problem(error: dict[str, Any], document: Any, kind: Any) -> dict[str, Any]:
    """``{"path", "message", "allowed"?}`` for one error of pydantic."""
    path, holder = _locate(error["loc"], document)
    context = error.get("ctx") or {}
    match error["type"]:
        case "missing":
            return {"path": path, "message": "is missing"}
        case "extra_forbidden":
            name = str(error["loc"][-1])
            known = sorted(_names(kind) - set(holder)) if isinstance(holder, dict) else []
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            return {"path": path, "message": f"there is no field of this name here{hint}"}
        case "union_tag_invalid" | "union_tag_not_found":
            field = str(context["discriminator"]).strip("'")
            allowed = _tags(kind, field)
            shown = context.get("tag")
            problem = f"{shown!r} is not known" if shown is not None else "is missing"
            inner = f"{path}.{field}" if path else field
            return {"path": inner, "message": f"{problem}; it is one of {', '.join(allowed)}", "allowed": allowed}
        case _:
            message = str(error["msg"]).removeprefix("Value error, ")
            return {"path": path, "message": message[:1].lower() + message[1:]}


def _locate(location: Sequence[str | int], document: Any) -> tuple[str, Any]:
    """The path of an error as people write it, and the object that holds what it points to."""
    path = ""
    here = holder = document
    named: Any = None
    for step in location:
        if isinstance(here, dict) and here is not named and step in [here.get(name) for name in DISCRIMINATORS]:
            named = here  # pydantic names the chosen member of a union first, which is no place in the document
            continue
        holder = here
        if isinstance(step, int):
            path += f"[{step}]"
            here = here[step] if isinstance(here, list) and step < len(here) else None
        else:
            path += f".{step}" if path else step
            here = here.get(step) if isinstance(here, dict) else None
    return path, holder


def _models(kind: Any) -> list[type[Wire]]:
    """The wire models that are named anywhere in a type."""
    found: list[type[Wire]] = []
    open_ = [kind]
    while open_:
        one = open_.pop()
        if isinstance(one, type) and issubclass(one, Wire):
            if one not in found:
                found.append(one)
                open_.extend(field.annotation for field in one.model_fields.values())
        else:
            open_.extend(getattr(one, "__args__", ()))
    return found


def _names(kind: Any) -> set[str]:
    return {field.alias or name for model in _models(kind) for name, field in model.model_fields.items()}


def _tags(kind: Any, field: str) -> list[str]:
    """What the discriminator of a union may say."""
    found = [get_args(model.model_fields[field].annotation) for model in _models(kind) if field in model.model_fields]
    return sorted({tag for tags in found for tag in tags if isinstance(tag, str)})
