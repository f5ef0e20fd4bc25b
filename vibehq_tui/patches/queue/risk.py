"""How risky a plan is, and why: the one place that says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vibehq_tui.patches.applying.path_patterns import matches
from vibehq_tui.patches.model import EXECUTABLE, SYMLINK
from vibehq_tui.patches.planning.plan import Plan

LEVELS: Final = ("low", "medium", "high")
_MEDIUM: Final = 2
_HIGH: Final = 5
_SHOWN: Final = 20

_CI: Final = (
    ".github/workflows/",
    ".github/actions/",
    ".gitlab-ci*.yml",
    ".circleci/",
    "Jenkinsfile*",
    ".travis.yml",
    "azure-pipelines*.yml",
    "bitbucket-pipelines.yml",
    ".pre-commit-config.yaml",
)
_BUILD: Final = (
    "Makefile",
    "makefile",
    "GNUmakefile",
    "*.mk",
    "CMakeLists.txt",
    "*.cmake",
    "Dockerfile*",
    "*.dockerfile",
    "docker-compose*.y*ml",
    "compose.y*ml",
    "setup.py",
    "setup.cfg",
    "build.gradle*",
    "pom.xml",
    "tox.ini",
    "noxfile.py",
    "webpack.config.*",
    "vite.config.*",
    "conftest.py",
)
_DEPENDENCIES: Final = (
    "requirements*.txt",
    "constraints*.txt",
    "pyproject.toml",
    "Pipfile*",
    "poetry.lock",
    "uv.lock",
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "Cargo.toml",
    "Cargo.lock",
    "go.mod",
    "go.sum",
    "Gemfile*",
    "composer.json",
    "composer.lock",
)
_SECRET_FILES: Final = (
    ".env",
    ".env.*",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "id_rsa*",
    "id_ed25519*",
    ".netrc",
    ".npmrc",
)
_SENSITIVE: Final = (
    "auth",
    "crypt",
    "login",
    "password",
    "permission",
    "secret",
    "security",
    "token",
    "credential",
    "migration",
)
_CODE: Final = (
    *("*.py", "*.js", "*.jsx", "*.ts", "*.tsx", "*.mjs", "*.go", "*.rs", "*.java", "*.kt", "*.c", "*.h", "*.cc"),
    *("*.cpp", "*.hpp", "*.cs", "*.rb", "*.php", "*.swift", "*.scala", "*.sh", "*.ex", "*.erl", "*.hs"),
)
_TESTS: Final = (
    "test_*",
    "*_test.*",
    "*.test.*",
    "*.spec.*",
    "**/tests/**",
    "**/test/**",
    "**/__tests__/**",
    "**/spec/**",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReason:
    """One thing that makes a plan risky."""

    code: str
    """lines, files, guarded, ci, build, dependencies, secret-file, sensitive, deletes, binary, mode, symlink, repaired,
    uncertain, merged, no-tests, secrets, syntax, task."""
    points: int
    message: str
    paths: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """``{"code", "points", "message", "paths"}``."""
        return {"code": self.code, "points": self.points, "message": self.message, "paths": list(self.paths)}


@dataclass(frozen=True, slots=True)
class Risk:
    """A tier, and all that counts towards it, the weightiest first."""

    level: str
    """low, medium, high."""
    reasons: tuple[RiskReason, ...]

    @property
    def points(self) -> int:
        """2 and more are medium, 5 and more are high."""
        return sum(reason.points for reason in self.reasons)

    def sentence(self) -> str:
        """``risk medium: 140 lines, deletes 1 file``."""
        told = ", ".join(reason.message for reason in self.reasons[:4])
        more = f" and {len(self.reasons) - 4} more" if len(self.reasons) > 4 else ""
        return f"risk {self.level}: {told or 'nothing speaks against it'}{more}"


def assess(plan: Plan, *, guarded: Sequence[str] = (), secrets: int = 0, broken: int = 0, beyond_task: int = 0) -> Risk:
    """Works out the risk of a plan.

    :param guarded: the paths of the plan that the configuration guards.
    :param secrets: how many secrets it adds.
    :param broken: how many files no longer parse.
    :param beyond_task: in how many things it goes beyond its task.
    """
    reasons = [*_size(plan), *_paths(plan, guarded), *_kinds(plan), *_certainty(plan), *_tests(plan)]
    for code, count, points, what in (
        ("secrets", secrets, 5, "adds {} secret"),
        ("syntax", broken, 5, "no longer parses in {} file"),
        ("task", beyond_task, 2, "goes beyond its task in {} place"),
    ):
        if count:
            reasons.append(RiskReason(code=code, points=points, message=_many(what.format(count), count)))
    reasons.sort(key=lambda reason: (-reason.points, reason.code))
    points = sum(reason.points for reason in reasons)
    level = "high" if points >= _HIGH else "medium" if points >= _MEDIUM else "low"
    return Risk(level, tuple(reasons))


def _many(text: str, count: int) -> str:
    """``adds 2 secret`` → ``adds 2 secrets``."""
    return text if count == 1 else f"{text}s"


def _size(plan: Plan) -> Iterator[RiskReason]:
    lines, files = plan.added + plan.removed, len(plan.files)
    points = 4 if lines > 500 else 2 if lines > 100 else 0
    yield RiskReason(code="lines", points=points, message=_many(f"{lines} line", lines))
    points = 4 if files > 25 else 2 if files > 5 else 0
    yield RiskReason(code="files", points=points, message=_many(f"{files} file", files))


def _paths(plan: Plan, guarded: Sequence[str]) -> Iterator[RiskReason]:
    touched = list(dict.fromkeys(path for file in plan.files for path in (file.path, file.from_) if path))
    if guarded:
        yield _about("guarded", 5, "touches guarded", list(guarded))
    rest = [path for path in touched if path not in guarded]
    for code, points, what, patterns in (
        ("ci", 4, "changes what runs in CI:", _CI),
        ("secret-file", 4, "touches a file that may hold secrets:", _SECRET_FILES),
        ("build", 2, "changes how it is built:", _BUILD),
        ("dependencies", 2, "changes what it depends on:", _DEPENDENCIES),
    ):
        found = [path for path in rest if matches(path, patterns)]
        rest = [path for path in rest if path not in found]
        if found:
            yield _about(code, points, what, found)
    sensitive = [path for path in rest if any(word in path.lower() for word in _SENSITIVE) and not _is_test(path)]
    if sensitive:
        yield _about("sensitive", 2, "touches", sensitive)


def _about(code: str, points: int, what: str, paths: list[str]) -> RiskReason:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return RiskReason(code=code, points=points, message=f"{what} {paths[0]}{more}", paths=tuple(paths[:_SHOWN]))


def _kinds(plan: Plan) -> Iterator[RiskReason]:
    deleted = [file.path for file in plan.files if file.op == "delete"]
    if deleted:
        yield _about("deletes", 2, "deletes", deleted)
    binary = [file.path for file in plan.files if file.binary]
    if binary:
        yield _about("binary", 2, "changes binary", binary)
    links = [file.path for file in plan.files if SYMLINK in (file.before_mode, file.after_mode)]
    if links:
        yield _about("symlink", 4, "touches symbolic link", links)
    runs = [file.path for file in plan.files if file.after_mode == EXECUTABLE and file.before_mode != EXECUTABLE]
    if runs:
        yield _about("mode", 2, "makes executable", runs)


def _certainty(plan: Plan) -> Iterator[RiskReason]:
    found = Counter(hunk.match for file in plan.files for hunk in file.hunks)
    for code, points, word, count in (
        ("uncertain", 3, "found by likeness", found["fuzzy"]),
        ("merged", 2, "merged with other changes", found["merge"]),
        ("repaired", 1, "matched by other blanks or look-alikes", found["whitespace"] + found["unicode"]),
    ):
        if count:
            yield RiskReason(code=code, points=points, message=f"{_many(f'{count} hunk', count)} {word}")
    if plan.repairs:
        count = len(plan.repairs)
        yield RiskReason(code="repaired", points=1, message=_many(f"{count} repair", count))


def _is_test(path: str) -> bool:
    return matches(path, _TESTS)


def _tests(plan: Plan) -> Iterator[RiskReason]:
    code = [file.path for file in plan.files if matches(file.path, _CODE) and file.added + file.removed]
    if code and all(not _is_test(path) for path in code):
        yield RiskReason(code="no-tests", points=1, message="code without tests", paths=tuple(code[:_SHOWN]))
