"""Signs are complete, distinct, and of a known width."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from rich.cells import cell_len

from vibehq_tui.text import glyphs
from vibehq_tui.text.glyphs import Sign, sign

TABLES = {name: table for name, table in vars(glyphs).items() if name.isupper() and isinstance(table, Mapping)}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_no_two_states_look_alike(name: str) -> None:
    signs: list[Sign] = list(TABLES[name].values())
    assert len({one.glyph for one in signs}) == len(signs)
    assert len({one.ascii for one in signs}) == len(signs)
    assert len({one.word for one in signs}) == len(signs)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_sign_has_the_width_of_its_table(name: str) -> None:
    width = 3 if name == "PRIORITIES" else 1
    for one in TABLES[name].values():
        assert cell_len(one.glyph) == cell_len(one.ascii) == width
        assert one.ascii.isascii()
        assert one.text(ascii_only=True) == one.ascii
        assert one.text() == one.glyph


def test_an_unknown_word_is_shown_as_it_is_but_harmless() -> None:
    odd = sign(glyphs.TASK_STATES, "half\x1bdone")
    assert (odd.glyph, odd.word) == ("?", "half␛done")
    assert sign(glyphs.TASK_STATES, "ready") is glyphs.TASK_STATES["ready"]
