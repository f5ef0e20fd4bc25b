from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storage.errors import Refused
from vibehq_tui.contracts.config import DEFAULT, Config, describe_settings, load, template, user_config_dir


def write(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "vibehq.toml").write_text(text, encoding="utf-8")


def refusal(root: Path, text: str) -> Refused:
    write(root, text)
    with pytest.raises(Refused) as caught:
        load(root)
    assert caught.value.code == "config-invalid"
    assert caught.value.exit_code == 1
    return caught.value


def test_no_file_is_a_valid_configuration(tmp_path: Path) -> None:
    config = load(tmp_path, tmp_path / "nowhere")
    assert config is DEFAULT
    assert config.scan.incremental.seconds == 300
    assert config.scan.full.text == "0 2 * * *"
    assert config.scan.thresholds.stale_patch == 86_400
    assert config.tasks.on_applied == "done"


def test_everything_can_be_set(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        [tasks]
        on_applied = "review"
        [scan]
        incremental = "*/10 * * * *"
        full = "12h"
        timezone = "Europe/Berlin"
        disabled = ["memory-pressure"]
        [scan.thresholds]
        stale_patch = "3d"
        disk_warn = 85
        [providers.codex]
        enabled = false
        cost = "low"
        types = ["fix", "test"]
        [[routes]]
        words = ["docs", "README"]
        provider = "gemini"
        reason = "writes well"
        [[routes]]
        task = "12.*"
        provider = "aider"
        [router]
        profile = "economy"
        prefer = "codex"
        [limits]
        patch_size = "500 KB"
        [protect]
        paths = ["infra/**"]
        """,
    )
    config = load(tmp_path)
    assert config.tasks.on_applied == "review"
    assert config.scan.incremental.cron is not None
    assert config.scan.full.seconds == 43_200
    assert config.scan.timezone == "Europe/Berlin"
    assert config.scan.thresholds.stale_patch == 3 * 86_400
    assert config.scan.thresholds.disk_clear == 80
    assert not config.providers["codex"].enabled
    assert config.providers["codex"].types == ("fix", "test")
    assert [rule.provider for rule in config.routes] == ["gemini", "aider"]
    assert config.routes[1].task == ("12.*",)
    assert config.router.prefer == ("codex",)
    assert config.limits.patch_size == 500_000
    assert config.protect.paths == ("infra/**",)


def test_the_workspace_overrides_the_operator_key_by_key(tmp_path: Path) -> None:
    root, user = tmp_path / "root", tmp_path / "user"
    write(
        user,
        """
        tasks.on_applied = "keep"
        scan.incremental = "10m"
        scan.thresholds.stale_patch = "1h"
        protect.paths = ["a/**"]
        [providers.codex]
        cost = "low"
        max_running = 7
        [[routes]]
        provider = "claude"
        """,
    )
    write(
        root,
        """
        scan.incremental = "1m"
        protect.paths = ["b/**", "a/**"]
        [providers.codex]
        cost = "high"
        [[routes]]
        type = "fix"
        provider = "codex"
        """,
    )
    config = load(root, user)
    assert config.tasks.on_applied == "keep"
    assert config.scan.incremental.text == "1m"
    assert config.scan.thresholds.stale_patch == 3600
    assert config.protect.paths == ("a/**", "b/**")
    assert (config.providers["codex"].cost, config.providers["codex"].max_running) == ("high", 7)
    assert [rule.provider for rule in config.routes] == ["codex", "claude"]
    assert Config() == DEFAULT


@pytest.mark.parametrize(
    ("text", "key", "message", "hint"),
    [
        (
            'tasks.on_applied = "doen"',
            "tasks.on_applied",
            "expected done, review or keep, not 'doen'",
            "did you mean done?",
        ),
        ("tasks.on_applied = 3", "tasks.on_applied", "not 3", "allowed: done, review, keep"),
        ("[taks]\n", "taks", "unknown setting", "did you mean tasks?"),
        ('[tasks]\non-applied = "done"', "tasks.on-applied", "unknown setting", "did you mean on_applied?"),
        ("tasks = 4", "tasks", "expected a table, not 4", ""),
        ('scan.nightly = "1d"', "scan.nightly", "neither a scope of scans (incremental or full)", ""),
        ('scan.incremantal = "1d"', "scan.incremantal", "neither a scope of scans", "did you mean incremental?"),
        ('scan.full = "0 25 * * *"', "scan.full", "0 to 23 in the hour field", ""),
        ("scan.incremental = 300", "scan.incremental", 'an interval such as "5m"', ""),
        ('scan.timezone = "Europe/Berln"', "scan.timezone", "the name of a time zone", "did you mean Europe/Berlin?"),
        ('scan.timezone = "../../etc/passwd"', "scan.timezone", "the name of a time zone", ""),
        ('scan.thresholds.stale_patch = "1 day"', "scan.thresholds.stale_patch", "expected a duration", ""),
        ("scan.thresholds.disk_warn = 101", "scan.thresholds.disk_warn", "whole number from 1 to 100", ""),
        ("scan.thresholds.disk_warn = true", "scan.thresholds.disk_warn", "whole number from 1 to 100, not true", ""),
        ("scan.thresholds.disk_clear = 95", "scan.thresholds", "disk_clear (95) must be below disk_warn (90)", ""),
        ('[providers.codex]\nenabled = "no"', "providers.codex.enabled", "expected true or false", ""),
        ('[providers.codex]\ntypes = ["fx"]', "providers.codex.types", "generate, fix", "did you mean fix?"),
        ('[[routes]]\ntype = "fix"', "routes[0]", "provider is missing", ""),
        ('[[routes]]\nprovider = "a"\n[[routes]]\nprovder = "b"', "routes[1].provder", "unknown setting", "provider?"),
        ('[routes]\nprovider = "a"', "routes", "written [[routes]]", ""),
        ('limits.patch_size = "10 apples"', "limits.patch_size", "expected a size", ""),
        ("limits.patch_size = 5000", "limits.patch_size", "expected a size in quotes", ""),
        ("protect.paths = [1]", "protect.paths", "expected a list of texts", ""),
    ],
)
def test_errors_name_file_key_and_what_is_allowed(tmp_path: Path, text: str, key: str, message: str, hint: str) -> None:
    error = refusal(tmp_path, text)
    problem = error.details["problems"][0]
    assert problem["file"] == "vibehq.toml"
    assert problem["key"] == key
    assert message in problem["message"]
    assert f"vibehq.toml, line {problem['line']}: {key}: " in error.message
    assert hint in error.hint


def test_all_problems_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    error = refusal(tmp_path, '[scan]\n# a comment\nfull = "x"\n\n[tasks]\non_applied = "x"\n')
    assert [(problem["key"], problem["line"]) for problem in error.details["problems"]] == [
        ("scan.full", 3),
        ("tasks.on_applied", 6),
    ]
    assert error.message.endswith("(and 1 more)")


def test_an_error_in_the_operators_file_names_that_file(tmp_path: Path) -> None:
    write(tmp_path / "user", "x = 1")
    with pytest.raises(Refused, match="unknown setting") as caught:
        load(tmp_path, tmp_path / "user")
    assert caught.value.details["file"] == str(tmp_path / "user" / "vibehq.toml")


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    assert "is not valid TOML: " in refusal(tmp_path, "[scan\nfull=").message
    (tmp_path / "vibehq.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Refused, match="is not UTF-8 text"):
        load(tmp_path)
    (tmp_path / "vibehq.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(Refused, match="larger than"):
        load(tmp_path)
    (tmp_path / "vibehq.toml").write_text("a=" + "[" * 100_000)
    with pytest.raises(Refused, match="is not valid TOML"):
        load(tmp_path)
    (tmp_path / "vibehq.toml").unlink()
    (tmp_path / "vibehq.toml").mkdir()
    with pytest.raises(Refused, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_dangling_link_is_not_taken_for_no_file(tmp_path: Path) -> None:
    (tmp_path / "vibehq.toml").symlink_to("gone.toml")
    with pytest.raises(Refused, match="cannot be read: No such file"):
        load(tmp_path)


def test_messages_carry_no_control_characters_from_the_file(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'tasks.on_applied = "\\u001b[31m"')
    assert "\x1b" not in error.message
    assert len(refusal(tmp_path, f'tasks.on_applied = "{"x" * 10_000}"').message) < 300
    assert refusal(tmp_path, f"{'x' * 100_000} = 1").details["problems"][0]["message"] == "unknown setting"


def test_every_setting_explains_itself_and_the_template_loads_as_the_default(tmp_path: Path) -> None:
    settings = list(describe_settings())
    assert len(settings) > 30
    assert all(item.help.endswith(".") and item.form for item in settings)
    write(tmp_path, template())
    assert load(tmp_path) == DEFAULT


def test_each_line_of_the_template_can_be_turned_on(tmp_path: Path) -> None:
    text = "\n".join(
        line.removeprefix("# ")
        if line.startswith(("# [", "# ")) and (" = " in line or line.startswith("# ["))
        else line
        for line in template().splitlines()
    )
    # what a rule and a provider's cost cannot leave empty
    text = text.replace('provider = ""', 'provider = "codex"').replace('cost = ""', 'cost = "low"')
    text = text.replace('name = ""', 'name = "first"')
    write(tmp_path, text)
    config = load(tmp_path)
    assert config.scan == DEFAULT.scan
    assert config.routes[0].provider == "codex"


def test_user_folder_follows_the_standard() -> None:
    assert user_config_dir({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}) == Path("/x/vibehq")
    assert user_config_dir({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}) == Path("/h/.config/vibehq")


def test_loading_without_a_file_imports_no_parser_and_no_pydantic(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from vibehq_tui.contracts.config import load;"
        "load(pathlib.Path(sys.argv[1]));"
        "print(*sorted({'pydantic', 'tomllib', 'difflib', 'zoneinfo', 'apscheduler'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_keys_of_commands_are_read(tmp_path: Path) -> None:
    (tmp_path / "vibehq.toml").write_text('[keymap]\n"patch.approve" = "y"\n"list.down" = ["j", "ctrl+n"]\n')
    assert load(tmp_path).keymap == {"patch.approve": ("y",), "list.down": ("j", "ctrl+n")}
    (tmp_path / "vibehq.toml").write_text('[keymap]\n"patch.approve" = 3\n')
    with pytest.raises(Refused, match=r"patch\.approve"):
        load(tmp_path)
