"""``--idempotency-key``: a command that is repeated with its key is answered from the record of the first call.

The key is claimed before the command begins and its answer is recorded after it has ended. A call that died in between
leaves a claim without an answer; a repetition runs then if nothing has happened since the claim, and is refused if
something has, because that may have been the command.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from storage.errors import Busy, Conflict, Refused, Usage, VibeError
from vibehq_tui.cli.output import Answer, Style

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters

_LONGEST: Final = 200
_WAIT: Final = 60.0
"""Seconds to wait for another call with the same key."""
_LOOK: Final = 0.05
_ERRORS: Final = {error.exit_code: error for error in (Refused, Conflict, Busy, Usage)}


async def once(hq: Headquarters, key: str, call: str, body: Callable[[], Awaitable[Answer]]) -> Answer:
    """Runs ``body`` unless ``key`` has an answer already.

    :param call: names the command with its arguments; the same key with another call is refused.
    :raises Refused: when the key was used for something else, or an earlier call with it was interrupted.
    :raises Busy: when another call with the same key does not end.
    """
    if not key.strip() or len(key) > _LONGEST:
        raise Usage(f"an idempotency key has 1 to {_LONGEST} characters", hint="a UUID is a good one")
    async with _held(hq.state, key):
        known = await hq.store.read(lambda tx: tx.idempotency.get(key))
        if known is not None:
            return _repeat(key, call, *known)
        before = await _claim(hq, key, call)
        try:
            answer = await body()
        except VibeError as error:
            if await hq.store.head() != before and not isinstance(error, Busy):
                failure = {"error": error.to_wire()["error"], "exit": error.exit_code}
                await hq.store.write(lambda tx: tx.idempotency.put(key, call, failure))
            else:
                await hq.store.write(lambda tx: tx.settings.put(_claim_key(key), None))
            raise
        record = {"wire": answer.wire, "text": answer.text(Style()), "exit": answer.exit_code}
        await hq.store.write(lambda tx: tx.idempotency.put(key, call, record))
        return answer


def _claim_key(key: str) -> str:
    return f"idempotency/{key}"


async def _claim(hq: Headquarters, key: str, call: str) -> int:
    """Writes down that the command begins; answers the newest event before it."""
    claim = await hq.store.read(lambda tx: tx.settings.get(_claim_key(key)))
    head = await hq.store.head()
    if claim is not None:
        if claim["call"] != call:
            raise _reused(key, claim["call"], call)
        if claim["head"] != head:
            raise Refused(
                f"an earlier call with the key {key} was interrupted, and it is not known whether it was done",
                code="interrupted",
                hint=f"vibehq events --cursor {claim['head']} shows what happened since; use a new key to do it again",
                details={"key": key, "cursor": str(claim["head"])},
            )
    await hq.store.write(lambda tx: tx.settings.put(_claim_key(key), {"call": call, "head": head}))
    return head


def _repeat(key: str, call: str, known_call: str, record: dict[str, Any]) -> Answer:
    if known_call != call:
        raise _reused(key, known_call, call)
    if "error" in record:
        error = record["error"]
        kind = _ERRORS.get(record["exit"], VibeError)
        raise kind(error["message"], code=error["code"], hint=error["hint"], details=error["details"])
    return Answer(wire=record["wire"], text=lambda style: str(record["text"]), exit_code=record["exit"])


def _reused(key: str, known: str, call: str) -> Refused:
    what = "other arguments" if known.rpartition(" ")[0] == call.rpartition(" ")[0] else known.rpartition(" ")[0]
    return Refused(
        f"the key {key} was used for {what}",
        code="idempotency-key-reused",
        hint="use a new key for every command",
        details={"key": key},
    )


@asynccontextmanager
async def _held(state: Path, key: str) -> AsyncIterator[None]:
    """Lets one call with a key run at a time; the second one waits and is then answered from the record."""
    folder = state / "keys"
    folder.mkdir(exist_ok=True)
    path = folder / hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        for _ in range(int(_WAIT / _LOOK)):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_LOOK)
        else:
            raise Busy(f"another call with the key {key} is still running", hint="wait for its answer")
        yield
    finally:
        os.close(descriptor)
