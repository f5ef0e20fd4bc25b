"""Patch operations and batches of them: small, exact edits that a program or an agent asks for.

All line numbers mean the file as it was before the batch, from 1. A batch is all or nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from vibehq_tui.contracts.wire import Id, Wire

Line = Annotated[int, Field(ge=1, le=2**31)]
"""A line number, from 1."""
Marker = Annotated[str, Field(min_length=1)]
"""The name of a ``PATCH_MARKER``."""
OpenSpace = bool | Annotated[int, Field(ge=0, le=10)]
"""How many blank lines are kept between the text and what stands around it; true for one."""
Indent = Literal["auto", "keep", "match"]
"""How the text is indented: ``keep`` as it is given, ``match`` shifted to where the line or marker starts, ``auto`` the
same for text at the left edge where nothing else can be meant."""
FilePath = Annotated[str, Field(min_length=1)]
"""A path relative to the root of the workspace, with ``/``."""


class _OneFile(Wire):
    file: FilePath
    """Relative to the root of the workspace."""


class _WithBlock(_OneFile):
    block: str | None = None
    """The text itself."""
    block_file: FilePath | None = None
    """A file, relative to the root, that holds the text; instead of ``block``."""

    @model_validator(mode="after")
    def _one_source(self) -> _WithBlock:
        if (self.block is None) == (self.block_file is None):
            raise ValueError("give the text as block or name its file as blockFile, one of the two")
        return self


class _Placed(_WithBlock):
    open_space: OpenSpace = False
    """Blank lines between the text and what stands around it."""
    indent: Indent = "auto"


class ReplaceBlock(_Placed):
    """Replaces the lines ``start`` to ``end``, both included, or what stands between the two lines of a marker."""

    op: Literal["replace-block"]
    marker: Marker | None = None
    """A marker with a start and an end; instead of ``start`` and ``end``."""
    start: Annotated[Line | None, Field(validate_default=True)] = None
    end: Annotated[Line | None, Field(validate_default=True)] = None

    @field_validator("start", "end")
    @classmethod
    def _somewhere(cls, line: int | None, info: ValidationInfo) -> int | None:
        if line is None and info.data.get("marker") is None:
            raise ValueError("is missing; say where: start and end, or marker")
        if line is not None and info.data.get("marker") is not None:
            raise ValueError("there is a marker too; say where: start and end, or marker, one of the two")
        return line

    @model_validator(mode="after")
    def _forward(self) -> ReplaceBlock:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError(f"end ({self.end}) is before start ({self.start})")
        return self


class _Adding(_Placed):
    @model_validator(mode="after")
    def _something(self) -> _Adding:
        if self.block == "":
            raise ValueError("block is empty, so there is nothing to add")
        return self


class _Insert(_Adding):
    line: Line | None = None
    """The line beside which the text goes."""
    marker: Marker | None = None
    """The marker beside which the text goes; instead of ``line``."""

    @model_validator(mode="after")
    def _one_place(self) -> _Insert:
        if (self.line is None) == (self.marker is None):
            raise ValueError("say where: line or marker, one of the two")
        return self


class InsertBefore(_Insert):
    """Puts text before a line or a marker."""

    op: Literal["insert-before"]


class InsertAfter(_Insert):
    """Puts text after a line or a marker."""

    op: Literal["insert-after"]


class Append(_Adding):
    """Puts text at the end of a file."""

    op: Literal["append"]


class Prepend(_Adding):
    """Puts text at the beginning of a file."""

    op: Literal["prepend"]


class ReplaceBetween(_Placed):
    """Replaces what stands between two markers; the markers stay."""

    op: Literal["replace-between"]
    start_marker: Marker
    end_marker: Marker


class Create(_WithBlock):
    """Makes a new file."""

    op: Literal["create"]


class Delete(_OneFile):
    """Removes a file."""

    op: Literal["delete"]


class Move(_OneFile):
    """Gives a file another path."""

    op: Literal["move"]
    to: FilePath
    """The new path."""


PatchOperation = Annotated[
    ReplaceBlock | InsertBefore | InsertAfter | Append | Prepend | ReplaceBetween | Create | Delete | Move,
    Field(discriminator="op"),
]
"""One edit; ``op`` says which."""


class PatchBatch(Wire):
    """Operations that belong together: all are done or none."""

    order_id: Id | None = None
    """Under which the requester knows the batch."""
    requester: str | None = None
    """Who asks for it."""
    reason: str | None = None
    """What for; becomes the title of the patch."""
    task_id: Id | None = None
    """The task of the tasks file that it belongs to."""
    patches: Annotated[list[PatchOperation], Field(min_length=1)]
    """At least one operation."""
