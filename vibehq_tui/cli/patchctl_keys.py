"""What ``patchctl`` keeps beside the receipts: answers by idempotency key, and events that other tools hand in."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from storage.clock import SYSTEM_CLOCK
from storage.errors import Refused, Usage
from vibehq_tui.workspace import STATE_FOLDER, create_state

_LONGEST: Final = 200


class Keyed:
    """The answer of a command that has an idempotency key.

    The receipts of such a command have names made from the key. So even when the process died before it could keep its
    answer, a repetition finds that the patch was applied.
    """

    def __init__(self, root: Path, key: str) -> None:
        if not key.strip() or len(key) > _LONGEST:
            raise Usage(f"an idempotency key has 1 to {_LONGEST} characters", hint="a UUID is a good one")
        self._key = key
        self._name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._path = root / STATE_FOLDER / "answers" / f"{self._name}.json"
        self._call = ""

    def receipt(self, number: int) -> str:
        """The name of the receipt of the patch with this number in the series."""
        return f"key-{self._name}-{number}"

    def answer(self, call: Mapping[str, Any], texts: Sequence[bytes]) -> tuple[dict[str, Any], int] | None:
        """The answer of an earlier call with the key, with its exit code.

        :raises Refused: when the earlier call was another one.
        """
        digest = hashlib.sha256(json.dumps(call, sort_keys=True).encode())
        for text in texts:
            digest.update(text)
        self._call = digest.hexdigest()
        _check_folder(self._path.parent)
        try:
            known = json.loads(self._path.read_bytes())
            found = (known["answer"], int(known["exit"])) if known["call"] == self._call else None
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Refused(f"the answer kept for the key {self._key} is broken", hint=f"remove {self._path}") from None
        if found is None:
            raise Refused(
                f"the key {self._key} was used for something else",
                code="idempotency-key-reused",
                hint="use a new key for every command",
                details={"key": self._key},
            )
        return found

    def keep(self, document: Mapping[str, Any], exit_code: int) -> None:
        """Keeps the answer of this call."""
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        _put(self._path, {"call": self._call, "exit": exit_code, "answer": document})


def deliver(root: Path, data: bytes) -> dict[str, Any]:
    """Checks a patch event and puts it into the inbox of the workspace.

    :raises Refused: when it is no patch event; the message names the JSON path.
    """
    from vibehq_tui.contracts.messages import PatchEvent  # noqa: PLC0415 - loads pydantic
    from vibehq_tui.contracts.wire import read_wire  # noqa: PLC0415 - as above

    event = read_wire(PatchEvent, data, "the patch event").to_wire()
    create_state(root)
    inbox = root / STATE_FOLDER / "inbox"
    inbox.mkdir(mode=0o700, exist_ok=True)
    name = f"{SYSTEM_CLOCK.now()}-{hashlib.sha256(data).hexdigest()[:16]}.json"
    _put(inbox / name, event)
    return {"type": event["type"], "inbox": str((inbox / name).relative_to(root))}


def _check_folder(folder: Path) -> None:
    """:raises Refused: when it is a link: a repository may come with a state folder of its own."""
    if folder.is_symlink():
        raise Refused(f"{folder} is a symbolic link", hint="make it a folder")


def _put(path: Path, document: Mapping[str, Any]) -> None:
    """Writes a document under its name at once, and on disk."""
    _check_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
