"""Batches against a model so simple that it cannot be wrong: each line, and what is put before and behind it."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vibehq_tui.patches.applying.engine import apply_text

QUICK = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))

blocks = st.lists(st.sampled_from(["a", "b", "", "  c", "\td"]), min_size=1, max_size=3).map("\n".join).filter(bool)


@st.composite
def batches(draw: st.DrawFn) -> tuple[int, list[dict[str, Any]]]:
    """A number of lines, and operations on them; some of the batches are on the same lines."""
    count = draw(st.integers(1, 8))
    operations = []
    for _ in range(draw(st.integers(1, 5))):
        op = draw(st.sampled_from(["replace-block", "insert-before", "insert-after", "append", "prepend"]))
        operation: dict[str, Any] = {"op": op, "file": "f", "block": draw(blocks) + draw(st.sampled_from(["", "\n"]))}
        line = draw(st.integers(1, count))
        if op == "replace-block":
            operation |= {"start": line, "end": draw(st.integers(line, count)), "indent": "keep"}
            if draw(st.booleans()):
                operation["block"] = ""
        elif op.startswith("insert"):
            operation |= {"line": line, "indent": "keep"}
        operations.append(operation)
    return count, operations


def model(lines: list[str], operations: list[dict[str, Any]]) -> list[str] | None:
    """The lines afterwards; None when two operations are on the same."""
    taken: set[int] = set()
    additions: dict[tuple[int, int], list[str]] = {}
    starts: dict[int, list[str]] = {}
    ranges = []
    for operation in operations:
        block = operation["block"].removesuffix("\n").split("\n") if operation["block"] else []
        if operation["op"] == "replace-block":
            covered = set(range(operation["start"] - 1, operation["end"]))
            if covered & taken:
                return None
            taken |= covered
            starts[operation["start"] - 1] = block
            ranges.append((operation["start"] - 1, operation["end"]))
            continue
        at, rank = {
            "prepend": (0, 0),
            "insert-after": (operation.get("line", 0), 1),
            "insert-before": (operation.get("line", 1) - 1, 2),
            "append": (len(lines), 3),
        }[operation["op"]]
        if (at, rank) in additions:
            return None
        additions[at, rank] = block
    if any(start < at < end for at, _ in additions for start, end in ranges):
        return None
    output: list[str] = []
    for at in range(len(lines) + 1):
        for rank in range(4):
            output += additions.get((at, rank), [])
        output += starts.get(at, [])
        if at < len(lines) and at not in taken:
            output.append(lines[at])
    return output


def check(count: int, operations: list[dict[str, Any]]) -> None:
    lines = [f"line {number}" for number in range(1, count + 1)]
    wanted = model(lines, operations)
    with TemporaryDirectory() as name:
        root = Path(name)
        path = root / "f"
        before = "".join(f"{line}\n" for line in lines)
        path.write_text(before)
        result = apply_text(json.dumps(operations).encode(), root)
        if wanted is None:
            assert result.result == "refused"
            assert {problem.code for problem in result.errors} == {"overlapping-operations"}
            assert path.read_text() == before
        else:
            assert result.result == "applied"
            assert path.read_text() == "".join(f"{line}\n" for line in wanted)


@QUICK
@given(batches())
def test_batches_do_what_the_model_does(batch: tuple[int, list[dict[str, Any]]]) -> None:
    check(*batch)
    assert batch[0]


@pytest.mark.long
@LONG
@given(batches())
def test_batches_do_what_the_model_does_at_length(batch: tuple[int, list[dict[str, Any]]]) -> None:
    check(*batch)
    assert batch[0]
