"""A small project that agents are asked to change, and a way to say what an answer of theirs must do to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from format_helpers import Box

CART = '''"""A shopping cart."""

from __future__ import annotations

from decimal import Decimal

from shop.prices import price_of


class Cart:
    """What a customer wants to buy."""

    def __init__(self) -> None:
        self.items: dict[str, int] = {}

    def add(self, name: str, count: int = 1) -> None:
        """Puts something into the cart."""
        self.items[name] = self.items.get(name, 0) + count

    def remove(self, name: str) -> None:
        """Takes something out of the cart."""
        del self.items[name]

    def total(self) -> Decimal:
        """The price of everything."""
        total = Decimal(0)
        for name, count in self.items.items():
            total += price_of(name) * count
        return total


def empty() -> Cart:
    """A cart with nothing in it."""
    return Cart()
'''
PRICES = """from decimal import Decimal

PRICES = {
    "apple": Decimal("0.30"),
    "pear": Decimal("0.45"),
}


def price_of(name: str) -> Decimal:
    return PRICES[name]


def known(name: str) -> bool:
    return name in PRICES
"""
APP = """import { cart } from './cart.js';

export function render(root) {
  root.innerHTML = '';
  for (const item of cart.items) {
    const row = document.createElement('li');
    row.textContent = item.name;
    root.append(row);
  }
}

export function clear(root) {
  root.innerHTML = '';
}
"""
MAKEFILE = """test:
\tpytest -q

lint:
\truff check .

.PHONY: test lint
"""
README = """# Shop

A small shop.

## Use

```bash
make test
```

## Licence

MIT
"""
MAIN_GO = """package main

import "fmt"

func main() {
\tname := "shop"
\tfmt.Println(name)
}
"""
FILES = {
    "src/shop/cart.py": CART,
    "src/shop/prices.py": PRICES,
    "web/app.js": APP,
    "Makefile": MAKEFILE,
    "README.md": README,
    "cmd/main.go": MAIN_GO,
}


def swap(path: str, *pairs: tuple[str, str]) -> dict[str, str | None]:
    """A file with texts replaced, each of which stands in it once."""
    text = FILES[path]
    for old, new in pairs:
        assert text.count(old) == 1, (path, old, text.count(old))
        text = text.replace(old, new)
    return {path: text}


@dataclass(frozen=True)
class Case:
    """What an agent wrote, and what must come of it."""

    name: str
    text: str
    after: dict[str, str | None] = field(default_factory=dict)
    """Files that are different afterwards; None for those that are gone."""
    code: str = ""
    """The first code with which it is refused."""
    repairs: tuple[str, ...] = ()
    format: str | None = None
    """The format that is answered."""
    asked: str = "auto"


def run(case: Case, box: Box) -> str:
    """Applies the answer to the project, and checks every file; answers what came of it."""
    for path, text in FILES.items():
        box.write(path, text)
    before = box.state()
    result = box.apply(case.text, format=case.asked)
    found = [problem.code for problem in result.errors]
    if case.code:
        assert found[:1] == [case.code], (result.result, result.errors, box.state() != before)
        assert box.state() == before
        return result.result
    assert result.result == "applied", result.errors
    wanted = {path: text for path, text in {**FILES, **case.after}.items() if text is not None}
    state = {path: content.decode() for path, content in box.state().items()}
    for path in wanted.keys() | state.keys():
        assert state.get(path) == wanted.get(path), path
    assert [repair.code for repair in result.repairs] == list(case.repairs)
    if case.format is not None:
        assert result.format == case.format
    now = box.state()
    again = box.apply(case.text, format=case.asked)
    assert again.result != "applied", "the same answer was applied twice"
    assert box.state() == now
    return result.result
