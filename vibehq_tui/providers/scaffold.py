"""A provider file to begin with."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from storage.errors import Refused
from vibehq_tui.providers.spec import MAX_NAME, NAME, ProbeSpec, ProviderSpec, RunSpec


def provider_template(name: str) -> str:
    """A file that can be used as it is, for a program called ``name`` that takes the prompt as its argument."""
    values = {
        "name": f'"{name}"',
        "title": f'"{name}"',
        "types": '["generate", "fix"]',
        "executables": f'["{name}"]',
        "arguments": '["{prompt}"]',
    }
    lines = ["# How to run an agent. Lines that are commented out show the default.", ""]
    for table, kind in (("", ProviderSpec), ("probe", ProbeSpec), ("run", RunSpec)):
        if table:
            lines += [f"[{table}]"]
        for item in fields(kind):
            if item.metadata["form"] == "table":
                continue
            lines += [f"# {item.metadata['help']} ({item.metadata['form']})"]
            value = values.get(item.name)
            lines += [f"{item.name} = {value}" if value else f"# {item.name} = {_toml(item.default)}", ""]
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    return f'"{value}"'


def write_provider(folder: Path, name: str) -> Path:
    """Writes the file of a new provider; never over one that is there.

    :raises Refused: for a name that cannot be one, when the file exists, or when it cannot be written.
    """
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise Refused(
            f"{name!r} cannot be the name of a provider",
            code="bad-name",
            hint=f"use lower-case letters, digits and single hyphens, such as my-agent, up to {MAX_NAME} characters",
        )
    path = folder / f"{name}.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(provider_template(name))
    except FileExistsError:
        raise Refused(f"{path} exists already", code="exists", hint="edit it, or choose another name") from None
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}", code="not-writable") from error
    return path
