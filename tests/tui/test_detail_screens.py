"""The screens of a task, an issue and a provider: what they show, where they lead, and that they follow the feed."""

from __future__ import annotations

from pathlib import Path

import pytest
from review_helpers import CHANGE, HOSTILE, Repository, is_harmless, make_workspace, on_screen, said, until
from review_workspace import open_workspace, opened, read_screen

from storage.clock import Millis
from storage.records import Event, Execution, Issue, Patch
from vibehq_tui.text.clean import clean
from vibehq_tui.tui.screens import detail_texts
from vibehq_tui.tui.screens.issue_detail import IssueDetailScreen
from vibehq_tui.tui.screens.log_view import LogScreen
from vibehq_tui.tui.screens.provider_detail import ProviderDetailScreen
from vibehq_tui.tui.screens.review import ReviewScreen
from vibehq_tui.tui.screens.task_detail import TaskDetailScreen
from vibehq_tui.tui.widgets.detail import DetailView, Document, Target
from vibehq_tui.tui.widgets.rows import Part

SIZES = ((160, 45), (80, 24))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return make_workspace(tmp_path / "repo")


def text_of(*views: DetailView) -> str:
    """Everything in documents, also what is not in view."""
    return "\n".join("".join(part.text for part in entry.parts) for view in views for entry in view.document.entries)


async def fill(repository: Repository) -> None:
    """A patch, an assignment, a run with its log, and an issue about the patch, on task 14."""
    diff = repository.diff_to(CHANGE, "-U1")
    log = repository.root / ".vibehq/logs/run.log"
    async with await open_workspace(repository.root, actor="ada") as hq:
        await hq.patches.submit(diff, task="14", provider="codex", title=f"Entrypoint {HOSTILE}")
        await hq.providers.assign("14", "codex", "it knows the monitor")
        log.parent.mkdir(exist_ok=True)
        log.write_text("the run said this\n")
        await hq.store.write(
            lambda tx: tx.executions.insert(
                Execution(
                    id="1",
                    provider="codex",
                    state="done",
                    task="14",
                    started_at=tx.now,
                    ended_at=Millis(tx.now + 72_000),
                    log="logs/run.log",
                    message=HOSTILE,
                )
            )
        )
        await hq.store.write(lambda tx: insert_issue(tx.issues.insert, tx.now))


def insert_issue(insert: object, now: Millis) -> None:
    """An issue with evidence of many shapes."""
    assert callable(insert)
    insert(
        Issue(
            id="1",
            fingerprint="f" * 16,
            detector="secret-in-patch",
            severity="critical",
            status="open",
            title=f"A secret {HOSTILE}",
            message=f"Reject it.\nThen change it. {HOSTILE}",
            count=3,
            first_seen=now,
            last_seen=now,
            subject="patch",
            subject_id="1",
            data={
                "patches": ["1", "77"],
                "task": "14",
                "createdAt": int(now),
                "places": [{"path": HOSTILE, "line": 7}],
                "lines": [1, 2, 3],
                "deep": {"a": {"b": {"c": {"d": {}}}}},
                "none": None,
            },
        )
    )


async def test_a_task_shows_all_that_belongs_to_it(repository: Repository) -> None:
    await fill(repository)
    for size in SIZES:
        async with opened(repository.root, size=size) as (app, pilot):
            app.open_task("14")
            screen = await read_screen(app, pilot)
            assert isinstance(screen, TaskDetailScreen)
            text = text_of(screen.text, screen.aside)
            for wanted in (
                "Scan through the monitor.",
                "2. Count what was added.",
                "A source of three batches.",
                "1 of 2 done",
                "waits for",
                "it knows the monitor · by ada",
                "Entrypoint x [/",
                "patch.proposed 1",
                "1m 12s",
            ):
                assert wanted in text
            assert "Ops scan entrypoint" in screen.title_line.text
            await until(pilot, lambda: "99 does not exist" in on_screen(app))
            assert is_harmless(on_screen(app))


async def test_a_task_leads_to_its_patch_and_its_run(repository: Repository) -> None:
    await fill(repository)
    async with opened(repository.root) as (app, pilot):
        app.open_task("14")
        screen = await read_screen(app, pilot)
        assert isinstance(screen, TaskDetailScreen)
        await pilot.press("tab")
        await until(pilot, lambda: screen.focused is screen.aside)
        assert screen.aside.target == Target("provider", "codex")
        for _ in range(20):
            if screen.aside.target == Target("patch", "1"):
                break
            await pilot.press("j")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await pilot.press("escape", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, LogScreen))
        await until(pilot, lambda: "the run said this" in on_screen(app))


async def test_walking_through_the_graph_of_tasks(repository: Repository) -> None:
    await fill(repository)
    async with opened(repository.root) as (app, pilot):
        app.open_task("14")
        first = await read_screen(app, pilot)
        await pilot.press("shift+tab")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "graph")
        await pilot.press("enter")
        await until(pilot, lambda: "this is the task that is shown" in said(app))
        await pilot.press("left", "down", "enter")
        await until(pilot, lambda: "there is no task 99" in said(app))
        await pilot.press("right", "right", "enter")
        await until(pilot, lambda: app.screen is not first)
        screen = await read_screen(app, pilot)
        assert screen.subject_id == "15"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is first)


async def test_tasks_that_wait_for_each_other_are_shown_as_a_circle(repository: Repository) -> None:
    async with opened(repository.root) as (app, pilot):
        app.open_task("16")
        await read_screen(app, pilot)
        await until(pilot, lambda: "↻ 16" in on_screen(app))
        assert "broken" in on_screen(app)


async def test_a_task_follows_what_happens_to_it(repository: Repository) -> None:
    async with opened(repository.root) as (app, pilot):
        app.open_task("15")
        screen = await read_screen(app, pilot)
        assert isinstance(screen, TaskDetailScreen)
        async with await open_workspace(repository.root, actor="ada") as other:
            await other.providers.assign("15", "claude", "free at the moment")
            await until(pilot, lambda: "free at the moment" in text_of(screen.aside))
            await other.tasks.set_status("15", "done")
            await until(pilot, lambda: "done" in screen.title_line.text)


async def test_status_and_provider_of_a_task_are_set_by_key(repository: Repository) -> None:
    async with opened(repository.root) as (app, pilot):
        app.open_task("15")
        screen = await read_screen(app, pilot)
        await pilot.press("s")
        await until(pilot, lambda: "Status of" in on_screen(app))
        await pilot.press("j", "enter")
        await until(pilot, lambda: screen.record.status != "pending")
        await pilot.press("y")
        assert app.clipboard == "15"


async def test_an_issue_shows_evidence_and_history_and_leads_to_what_it_is_about(repository: Repository) -> None:
    await fill(repository)
    for size in SIZES:
        async with opened(repository.root, size=size) as (app, pilot):
            app.open_issue("1")
            screen = await read_screen(app, pilot)
            assert isinstance(screen, IssueDetailScreen)
            text = text_of(screen.text, screen.aside)
            for wanted in (
                "Reject it.",
                "Then change it.",
                "3 times",
                "patch  77",
                "lines  1, 2, 3",
                "just now",
                "line  7",
            ):
                assert wanted in text
            assert "critical" in screen.title_line.text
            assert is_harmless(on_screen(app))
            assert screen.text.target == Target("patch", "1")
            await pilot.press("enter")
            await until(pilot, lambda app=app: isinstance(app.screen, ReviewScreen))  # type: ignore[misc]


async def test_an_issue_is_acknowledged_claimed_and_resolved_by_key(repository: Repository) -> None:
    await fill(repository)
    async with opened(repository.root) as (app, pilot):
        app.open_issue("1")
        screen = await read_screen(app, pilot)
        assert isinstance(screen, IssueDetailScreen)
        await pilot.press("a")
        await until(pilot, lambda: screen.record.status == "acknowledged")
        await pilot.press("c")
        await until(pilot, lambda: screen.record.status == "claimed")
        await pilot.press("x")
        await until(pilot, lambda: "What was done about it?" in on_screen(app))
        await pilot.press(*"changed it", "enter")
        await until(pilot, lambda: screen.record.status == "resolved")
        await until(pilot, lambda: "changed it" in text_of(screen.aside))


async def test_a_provider_shows_its_record_and_gets_a_task(repository: Repository) -> None:
    await fill(repository)
    for size in SIZES:
        async with opened(repository.root, size=size) as (app, pilot):
            app.open_provider("codex")
            screen = await read_screen(app, pilot)
            assert isinstance(screen, ProviderDetailScreen)
            text = text_of(screen.text, screen.aside)
            for wanted in ("it knows the monitor", "Ops scan entrypoint", "proposed", "1m 12s", "command"):
                assert wanted in text
            assert is_harmless(on_screen(app))
    async with opened(repository.root) as (app, pilot):
        app.open_provider("claude")
        screen = await read_screen(app, pilot)
        assert isinstance(screen, ProviderDetailScreen)
        await pilot.press("a")
        await until(pilot, lambda: "Which task does claude get?" in on_screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Why?" in on_screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "chosen by hand" in text_of(screen.text))


async def test_unknown_things_say_so(repository: Repository) -> None:
    async with opened(repository.root) as (app, pilot):
        for open_, key in ((app.open_task, "404"), (app.open_issue, "404"), (app.open_provider, HOSTILE)):
            open_(key)
            screen = await read_screen(app, pilot)
            assert isinstance(screen, (TaskDetailScreen, IssueDetailScreen, ProviderDetailScreen))
            await until(pilot, lambda screen=screen: "there is no" in text_of(screen.text))  # type: ignore[misc]
            assert is_harmless(on_screen(app))
            await pilot.press("enter", "j", "s", "a", "tab", "escape")
            await until(pilot, lambda screen=screen: app.screen is not screen)  # type: ignore[misc]


async def test_ascii_only(repository: Repository) -> None:
    await fill(repository)
    async with opened(repository.root, ascii_only=True) as (app, pilot):
        for open_, key in ((app.open_task, "14"), (app.open_issue, "1"), (app.open_provider, "codex")):
            open_(key)
            await read_screen(app, pilot)
            shown = on_screen(app)
            for sign in clean(HOSTILE):
                shown = shown.replace(sign, " ") if not sign.isascii() else shown
            assert shown.isascii(), sorted({char for char in shown if not char.isascii()})
            await pilot.press("escape")


# -- documents -----------------------------------------------------------------------------------------------------


def test_every_line_of_a_text_keeps_its_indentation() -> None:
    document = Document()
    document.text("one\n  - two\n\tthree\r\nfour \x1b[31m")
    assert ["".join(part.text for part in entry.parts) for entry in document.entries] == [
        "one",
        "- two",
        "three",
        "four ␛[31m",
    ]
    assert [entry.indent for entry in document.entries] == [0, 2, 4, 0]


def test_a_fact_without_text_is_left_out() -> None:
    document = Document()
    document.fact("owner", "")
    document.fact("owner", Part("ada", "strong"))
    assert len(document.entries) == 1


def test_rows_of_patches_and_events_lead_to_them() -> None:
    document = Document()
    patch = Patch(id="7", title=HOSTILE, state="applied", added=3, removed=1)
    detail_texts.patch_rows(document, [patch], 60_000, ascii_only=False)
    event = Event(seq=1, type="patch.applied", at=Millis(0), actor="ada", subject="patch", subject_id="7", message="+3")
    detail_texts.event_rows(document, [event, event], 60_000, about=("task", "1"))
    detail_texts.event_rows(document, [event], 60_000, about=("patch", "7"))
    assert [entry.target for entry in document.entries] == [Target("patch", "7")] * 3 + [None]
