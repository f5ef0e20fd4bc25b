"""Names of git blobs."""

from __future__ import annotations


def blob_name(content: bytes, algorithm: str = "sha1") -> str:
    """The name that git gives to a file's content."""
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which a patch without blob names does not need

    make = hashlib.sha1 if algorithm == "sha1" else hashlib.sha256
    digest = make(b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def blob_matches(content: bytes, name: str) -> bool:
    """Whether ``content`` has the blob name ``name``, which may be abbreviated, of a SHA-1 or a SHA-256 repository."""
    if len(name) <= 40 and blob_name(content).startswith(name):
        return True
    return len(name) != 40 and blob_name(content, "sha256").startswith(name)
