"""Two files that change names with each other, in one step of the file system, where it can do so.

Putting a file in the place of another by this and then removing the other is what a rename does, at half of its cost: a
rename makes ext4 (and others) find room on the disk for the new file at once, in case that nobody waits for the disk
afterwards. It also shows what was there at that very instant.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import cache
from typing import Final

_EXCHANGE: Final = 2
"""RENAME_EXCHANGE of Linux' ``renameat2``."""
_CANNOT: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EPERM})

Exchange = Callable[[int, bytes, int, bytes], bool]


@cache
def find_exchange() -> Exchange | None:
    """A function that exchanges a name in one open folder for a name in another; None where the system has none.

    It answers False when the file system cannot do it, and raises OSError when it fails.
    """
    if os.uname().sysname != "Linux":
        return None
    import ctypes  # noqa: PLC0415 - costs as much as a few renames, and pays from some on

    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)

    def exchange(folder: int, name: bytes, other_folder: int, other: bytes) -> bool:
        if function(folder, name, other_folder, other, _EXCHANGE) == 0:
            return True
        number = ctypes.get_errno()
        if number in _CANNOT:
            return False
        raise OSError(number, os.strerror(number), os.fsdecode(other))

    return exchange
