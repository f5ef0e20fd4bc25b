"""The change feed: who follows is told at once, in this process and in others, that there may be something new.

The tables are the truth. What travels between processes is only the hint to look, a datagram of one byte (which file)
to the socket that each following process keeps in ``wake/``; a lost hint costs one interval of the poll behind it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.errors import VibeError

_SUN_PATH = 100
"""Bytes of a socket's path that every system takes."""


class WakeBox:
    """The sockets of one store: its own, and those of the processes to wake."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.awake: dict[bytes, Callable[[], None]] = {}
        """Topic → what to call in the loop when another process sends it."""
        self._receiver: socket.socket | None = None
        self._sender: socket.socket | None = None
        self._name = ""
        self._directory = -1

    def listen(self) -> bool:
        """Registers a socket for this process, once.

        :returns: False where there can be no socket; the poll has to do then.
        """
        if self._receiver is not None:
            return True
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.setblocking(False)
        name = f"{os.getpid()}-{os.urandom(4).hex()}"
        try:
            self._folder.mkdir(exist_ok=True)
            receiver.bind(self._address(name))
        except OSError:
            receiver.close()
            return False
        self._receiver, self._name = receiver, name
        asyncio.get_running_loop().add_reader(receiver, self._drain, receiver)
        return True

    def _drain(self, receiver: socket.socket) -> None:
        topics = set()
        with suppress(BlockingIOError):
            while topic := receiver.recv(1):
                topics.add(topic)
        for topic in topics & self.awake.keys():
            self.awake[topic]()

    def wake_others(self, topic: bytes) -> None:
        """Sends the hint to every other process; removes the sockets of dead ones."""
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - runs after every commit, a Path for each name is waste
        except OSError:
            return  # nobody has ever followed
        for name in names:
            if name != self._name:
                self._send(name, topic)

    def _send(self, name: str, topic: bytes) -> None:
        try:
            if self._sender is None:
                self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._sender.setblocking(False)
            self._sender.sendto(topic, self._address(name))
        except BlockingIOError:
            pass  # its queue is full of hints already
        except ConnectionRefusedError:
            with suppress(OSError):
                (self._folder / name).unlink(missing_ok=True)
        except OSError:
            pass  # not reachable by a socket: its poll will find out

    def _address(self, name: str) -> str:
        path = self._folder / name
        if len(os.fsencode(path)) <= _SUN_PATH:
            return str(path)
        # The path is too long for a socket address; Linux lets one go through an open handle of the folder.
        if self._directory < 0:
            self._directory = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._directory}/{name}"

    def close(self) -> None:
        """Takes the registration back."""
        if self._receiver is not None:
            asyncio.get_running_loop().remove_reader(self._receiver)
            self._receiver.close()
            self._receiver = None
            with suppress(OSError):
                (self._folder / self._name).unlink(missing_ok=True)
        if self._sender is not None:
            self._sender.close()
            self._sender = None
        if self._directory >= 0:
            os.close(self._directory)
            self._directory = -1


class Feed:
    """The followers of one file in this process."""

    def __init__(
        self,
        box: WakeBox,
        topic: bytes,
        head: Callable[[], Awaitable[int]],
        *,
        listen: bool,
        interval: float = 0.4,
        slow_interval: float = 1.0,
    ) -> None:
        """
        :param topic: one byte that says which file.
        :param head: the newest sequence number, for the poll.
        :param listen: False for a store that must not write anything, not even a socket.
        :param interval: seconds between polls where no socket wakes.
        :param slow_interval: seconds between polls behind a socket.
        """
        self._box = box
        self._topic = topic
        self._head = head
        self._listen = listen
        self._interval = interval
        self._slow_interval = slow_interval
        self._followers: set[asyncio.Event] = set()
        self._poll: asyncio.Task[None] | None = None
        self.closed = False
        box.awake[topic] = self._hint

    @contextmanager
    def following(self) -> Iterator[asyncio.Event]:
        """Gives an event that is set whenever there may be something new."""
        hint = asyncio.Event()
        if self._poll is None:
            heard = self._listen and self._box.listen()
            self._poll = asyncio.get_running_loop().create_task(
                self._watch(self._slow_interval if heard else self._interval), name="store-feed"
            )
        self._followers.add(hint)
        try:
            yield hint
        finally:
            self._followers.discard(hint)

    def announce(self) -> None:
        """Tells the followers in every process to look."""
        self._hint()
        self._box.wake_others(self._topic)

    def _hint(self) -> None:
        for follower in self._followers:
            follower.set()

    async def _watch(self, interval: float) -> None:
        known = -1
        while True:
            await asyncio.sleep(interval)
            if not self._followers:
                continue
            try:
                head = await self._head()
            except VibeError:
                head = -1  # the followers look for themselves and meet the error
            if head != known:
                known = head
                self._hint()

    async def close(self) -> None:
        """Ends the following: every follower is woken and finds it closed."""
        self.closed = True
        self._hint()
        if self._poll is not None:
            self._poll.cancel()
            await asyncio.wait({self._poll})
            self._poll = None
