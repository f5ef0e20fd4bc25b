#!/usr/bin/env python3
"""Finds import cycles of every kind: at the top of modules, inside functions, and under ``TYPE_CHECKING``.

    check_cycles.py [ROOT]

Prints each cycle with the lines that make it and exits with 1; prints one line and exits with 0 when there is none. The
import linter looks at the floors of the house; a cycle between two modules of one room is none of its business.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("storage", "vibehq_tui")

Graph = dict[str, dict[str, int]]
"""Module → the modules that it imports, each with the line of the first import."""


def modules(root: Path) -> dict[str, Path]:
    """Every module of the packages below ``root``, by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def targets(node: ast.AST, package: str) -> Iterator[str]:
    """The dotted names that an import statement may mean; the longest that is a module counts."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = package.split(".")
            above = above[: len(above) - node.level + 1]
            base = ".".join([*above, base] if base else above)
        yield from (f"{base}.{alias.name}" for alias in node.names)


def graph(root: Path) -> Graph:
    """Who imports whom, wherever in the module the import stands."""
    known = modules(root)
    edges: Graph = {name: {} for name in known}
    for name, path in known.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            for target in targets(node, package):
                module = target
                while module and module not in known:
                    module = module.rpartition(".")[0]
                if module and module != name:
                    edges[name].setdefault(module, node.lineno)  # type: ignore[attr-defined]
    return edges


def cycles(edges: Graph) -> list[list[str]]:
    """One shortest cycle for each knot of modules that import each other."""
    found: list[list[str]] = []
    seen: set[str] = set()
    for start in edges:
        if start in seen:
            continue
        cycle = _shortest(edges, start)
        if cycle:
            found.append(cycle)
            seen.update(cycle)
    return found


def _shortest(edges: Graph, start: str) -> list[str]:
    """The shortest way from ``start`` back to itself; empty where there is none."""
    before: dict[str, str] = {}
    waiting = [start]
    for module in waiting:
        for following in edges[module]:
            if following == start:
                way = [module]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return way[::-1]
            if following not in before:
                before[following] = module
                waiting.append(following)
    return []


def main(arguments: list[str]) -> int:
    """Prints what was found; answers the exit code."""
    root = Path(arguments[0] if arguments else Path(__file__).parents[1]).resolve()
    known, edges = modules(root), graph(root)
    found = cycles(edges)
    for cycle in found:
        print("import cycle:")
        for module, following in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
            print(f"  {known[module].relative_to(root)}:{edges[module][following]} imports {following}")
    if not found:
        print(f"no import cycles in {len(known)} modules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
