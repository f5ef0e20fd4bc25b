from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from provider_helpers import Workspace, program, rule, task

from storage.errors import NotFound, Refused
from storage.records import Execution, to_wire
from storage.store import Store, Tx
from vibehq_tui.contracts.config import ProviderSettings
from vibehq_tui.providers.registry import Known

ROOT = Path(__file__).parents[2]


async def test_before_anybody_looked_everything_is_unknown(workspace: Workspace) -> None:
    found = await workspace.providers().list()
    assert len(found) == 8
    assert {status.state for status in found} == {"unknown"}
    assert not any(status.installed for status in found)


async def test_looking_keeps_what_it_found_for_every_process(workspace: Workspace) -> None:
    program(workspace.bin, "codex", "echo codex-cli 0.45.0")
    program(workspace.bin, "gemini", "exit 3")
    providers = workspace.providers(providers={"cursor": ProviderSettings(enabled=False)})
    found = {status.name: status for status in await providers.probe()}
    assert {name: status.state for name, status in found.items()} == {
        "codex": "ready", "shell": "ready", "gemini": "broken", "cursor": "disabled",
        "aider": "missing", "claude": "missing", "copilot": "missing", "opencode": "missing",
    }  # fmt: skip
    codex = found["codex"]
    assert (codex.version, codex.path, codex.installed) == ("0.45.0", str(workspace.bin / "codex"), True)
    assert codex.checked_at is not None
    assert found["gemini"].message == "gemini --version ended with exit code 3"
    assert found["claude"].install_hint == "npm install -g @anthropic-ai/claude-code"
    async with await Store.open(workspace.store.folder) as other:
        workspace.store = other
        again = await workspace.providers().get("codex")
        assert (again.state, again.version, again.checked_at) == ("ready", "0.45.0", codex.checked_at)
    assert [status.name for status in await providers.list()][:2] == ["codex", "shell"]


async def test_looking_is_an_event_that_names_what_changed(workspace: Workspace) -> None:
    providers = workspace.providers()
    await providers.probe()
    program(workspace.bin, "aider", "echo aider 0.86.1")
    await providers.probe()
    await providers.probe(["aider"])
    events = await workspace.store.read(lambda tx: tx.events.since(0))
    assert [event.type for event in events] == ["providers.probed"] * 3
    assert events[0].data["found"] == 1
    assert events[1].data == {"found": 2, "looked": 8, "changed": ["aider"]}
    assert events[2].data == {"found": 1, "looked": 1, "changed": []}
    configs = await workspace.store.read(lambda tx: tx.providers.configs())
    assert len(configs) == 8
    assert next(config for config in configs if config.name == "aider").data["run"]["prompt"] == "file"


async def test_the_list_does_not_wait_for_a_hanging_agent(workspace: Workspace) -> None:
    program(workspace.bin, "codex", "sleep 60")
    providers = workspace.providers()
    looking = asyncio.create_task(providers.probe())
    start = time.monotonic()
    assert len(await providers.list()) == 8
    assert time.monotonic() - start < 2
    found = {status.name: status for status in await looking}
    assert time.monotonic() - start < 6
    assert found["codex"].message == "codex --version did not end within 3 s"
    assert found["shell"].state == "ready"


async def test_a_broken_file_is_in_the_list_and_in_nobodys_way(workspace: Workspace) -> None:
    workspace.write(workspace.root / ".vibehq", "mine.toml", "title = 'x'\nprob = 1\n")
    program(workspace.bin, "codex", "echo 1.0")
    await workspace.tasks(task("1"))
    providers = workspace.providers()
    found = {status.name: status for status in await providers.probe()}
    assert (found["mine"].state, found["mine"].origin) == ("broken", ".vibehq/providers/mine.toml")
    assert found["mine"].message.startswith(".vibehq/providers/mine.toml, line 2: prob: unknown setting")
    assert found["codex"].state == "ready"
    with pytest.raises(Refused, match="mine cannot be used"):
        await providers.assign("1", "mine")
    assert (await providers.route("1")).choice == "codex"


async def test_assigning_is_an_event_and_an_audit_entry_once(workspace: Workspace) -> None:
    await workspace.tasks(task("1"), task("2"))
    providers = workspace.providers()
    done = await providers.assign("1", "codex", "it wrote the parser")
    assert (done.provider, done.reason, done.by) == ("codex", "it wrote the parser", "ada")
    assert await providers.assign("1", "codex", "it wrote the parser") == done
    await providers.assign("1", "claude")
    await providers.assign("2", "claude")
    assert (await providers.get("claude")).tasks == ("1", "2")
    await providers.unassign("1")
    await providers.unassign("1")
    events = await workspace.store.read(lambda tx: tx.events.since(0))
    assert [(event.type, event.task, event.message) for event in events] == [
        ("task.assigned", "1", "codex: it wrote the parser"),
        ("task.assigned", "1", "claude: chosen by hand"),
        ("task.assigned", "2", "claude: chosen by hand"),
        ("task.assigned", "1", "nobody"),
    ]
    assert events[1].data == {"provider": "claude", "reason": "chosen by hand", "before": "codex"}
    audit = await workspace.store.read(lambda tx: tx.audit.page())
    assert [(entry.verb, entry.object, entry.detail) for entry in audit][::-1] == [
        ("task.assign", "task/1", "codex: it wrote the parser"),
        ("task.assign", "task/1", "claude: chosen by hand"),
        ("task.assign", "task/2", "claude: chosen by hand"),
        ("task.unassign", "task/1", "claude"),
    ]
    assert [one.task for one in await providers.assignments()] == ["2"]


async def test_unknown_names(workspace: Workspace) -> None:
    await workspace.tasks(task("1"))
    providers = workspace.providers()
    with pytest.raises(NotFound, match="no provider 'codx'") as caught:
        await providers.assign("1", "codx")
    assert caught.value.hint == "did you mean codex?"
    for call in (providers.get("x"), providers.show("x"), providers.probe(["x"])):
        with pytest.raises(NotFound, match="no provider 'x'"):
            await call
    for about_task in (providers.assign("9", "codex"), providers.unassign("9"), providers.route("9")):
        with pytest.raises(NotFound, match="no task '9'"):
            await about_task


async def test_rules_assign_and_take_back(workspace: Workspace) -> None:
    await workspace.tasks(
        task("1", "Fix the crash"),
        task("2", "Write the guide"),
        task("3", "Fix the rest"),
        task("4", "Fix what was done", status="done"),
        task("1.1", "Fix a part", parent="1"),
    )
    providers = workspace.providers(routes=(rule("codex", type=("fix",), reason="good at bugs"), rule("nobody")))
    await providers.assign("3", "claude", "by hand")
    report = await providers.assign_by_rules()
    assert (report.assigned, report.removed) == (("1",), ())
    assert {one.task: (one.provider, one.reason, one.by) for one in await providers.assignments()} == {
        "1": ("codex", "good at bugs", "rule"),
        "3": ("claude", "by hand", "ada"),
    }
    assert (await providers.assign_by_rules()).assigned == ()
    head = await workspace.store.head()
    await providers.assign_by_rules(["1", "2", "gone"])
    assert await workspace.store.head() == head

    changed = workspace.providers(routes=(rule("gemini", words=("guide",)),))
    report = await changed.assign_by_rules()
    assert (report.assigned, report.removed) == (("2",), ("1",))
    assert (await workspace.providers().assign_by_rules()).removed == ("2",)
    assert [one.task for one in await providers.assignments()] == ["3"]


async def test_routing_uses_what_is_here_and_the_record(workspace: Workspace) -> None:
    program(workspace.bin, "codex", "echo 1.0")
    program(workspace.bin, "opencode", "echo 1.0")
    await workspace.tasks(task("1", "Fix the crash"))
    await workspace.patches("codex", rejected=4, applied=1)
    await workspace.patches("opencode", applied=3, verified=1, proposed=5, failed=1)
    providers = workspace.providers()
    nobody = await providers.route("1")
    assert (nobody.choice, nobody.by) == (None, "nobody")
    await providers.probe()
    found = await providers.route("1")
    assert (found.choice, found.by) == ("opencode", "score")
    assert "4 of 5 patches applied" in found.reason
    assert {one.name for one in found.candidates} == {status.name for status in await providers.list()}
    assert [name for name, _, _ in found.candidates][:2] == ["opencode", "codex"]
    json.dumps(to_wire(found))


async def test_the_record_of_a_provider(workspace: Workspace) -> None:
    await workspace.tasks(task("1"))
    await workspace.patches("codex", applied=3, rejected=1, proposed=2)
    providers = workspace.providers(providers={"codex": ProviderSettings(executable="/opt/codex", max_running=4)})

    def body(tx: Tx) -> None:
        for state in ("running", "failed", "done"):
            tx.executions.insert(
                Execution(
                    id=tx.executions.next_id(), provider="codex", state=state, started_at=tx.now, ended_at=tx.now,
                    cost_micros=1500, message="no key" if state == "failed" else "",
                )
            )  # fmt: skip

    await workspace.store.write(body)
    await providers.assign("1", "codex", "why not")
    detail = await providers.show("codex")
    assert (detail.status.state, detail.status.running, detail.status.max_running) == ("working", 1, 4)
    assert detail.status.cost_micros == 4500
    assert detail.command == ("/opt/codex", "exec", "--json", "--sandbox", "workspace-write", "-")
    assert detail.patches == {"applied": 3, "proposed": 2, "rejected": 1}
    assert detail.success_share == 0.75
    assert detail.executions == {"done": 1, "failed": 1, "running": 1}
    assert {(one.what, one.state, one.message) for one in detail.last_errors} == {
        ("patch", "rejected", ""),
        ("execution", "failed", "no key"),
    }
    assert detail.assignments == {"1": "why not"}
    assert (await providers.show("aider")).success_share is None
    json.dumps(to_wire(detail))


async def test_new_provider(workspace: Workspace) -> None:
    providers = workspace.providers()
    path = await providers.new("my-agent")
    assert path == workspace.root / ".vibehq" / "providers" / "my-agent.toml"
    program(workspace.bin, "my-agent", "echo 0.1")
    found = {status.name: status for status in await providers.probe()}
    assert (found["my-agent"].state, found["my-agent"].version) == ("ready", "0.1")
    for name in ("my-agent", "codex"):
        with pytest.raises(Refused, match=f"provider {name} already"):
            await providers.new(name)
    audit = await workspace.store.read(lambda tx: tx.audit.page())
    assert [(entry.verb, entry.object) for entry in audit] == [("provider.new", "provider/my-agent")]


async def test_read_only_refuses_and_shows(workspace: Workspace) -> None:
    await workspace.tasks(task("1"))
    async with await Store.open(workspace.store.folder, read_only=True) as viewer:
        workspace.store = viewer
        providers = workspace.providers()
        calls = (
            providers.probe(), providers.assign("1", "codex"), providers.unassign("1"),
            providers.assign_by_rules(), providers.new("mine"),
        )  # fmt: skip
        for call in calls:
            with pytest.raises(Refused, match="read-only"):
                await call
        assert len(await providers.list()) == 8
        assert (await providers.route("1")).choice is None


async def test_many_patches_and_assignments(workspace: Workspace) -> None:
    await workspace.patches("codex", applied=500, rejected=500)
    await workspace.tasks(*(task(str(number)) for number in range(300)))
    providers = workspace.providers(routes=(rule("codex"),))
    assert len((await providers.assign_by_rules()).assigned) == 300
    assert len((await providers.get("codex")).tasks) == 300
    assert (await providers.route("1")).rule is None
    assert isinstance(providers._registry.all()["codex"], Known)


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, vibehq_tui.providers.service; print(*{'pydantic', 'rich', 'textual', 'psutil'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
