"""Real patches broken as agents break them: the exact tree, or a refusal for the right reason, never a wrong tree."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from made_history import make_history
from mutation_runner import CRASHED, EXACT, OTHERWISE, WRONG, Outcome, commits_of, git, run
from mutations import MUTATIONS

REPOSITORIES = [Path(name) for name in os.environ.get("VIBEHQ_TEST_HISTORIES", "").split(os.pathsep) if name]
needs_repositories = pytest.mark.skipif(
    not REPOSITORIES, reason="name repositories with long histories in VIBEHQ_TEST_HISTORIES, separated like PATH"
)


def told(outcome: Outcome) -> str:
    what = f"{' + '.join(outcome.mutations)} ({outcome.style}) of {outcome.commit}"
    return f"{what}: {outcome.detail}\n{outcome.text[:3000]!r}"


def judged(repository: Path, *, commits: int, seed: int, pairs: int) -> Counter[str]:
    """The outcomes by kind; fails on the first that is wrong."""
    counts: Counter[str] = Counter()
    alone: set[str] = set()
    for outcome in run(repository, commits=commits, seed=seed, pairs=pairs):
        assert outcome.outcome not in (WRONG, CRASHED), told(outcome)
        counts[outcome.outcome] += 1
        if len(outcome.mutations) == 1:
            alone.add(outcome.mutations[0])
    assert alone == set(MUTATIONS), "every mutation found something to break"
    return counts


def test_of_a_made_up_history(tmp_path: Path) -> None:
    counts = judged(make_history(tmp_path / "history", 24, 1), commits=16, seed=1, pairs=8)
    assert counts[OTHERWISE] <= 0.02 * counts.total(), counts
    assert counts[EXACT] > 0.6 * counts.total(), counts


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 7))
def test_of_made_up_histories_at_length(tmp_path: Path, seed: int) -> None:
    counts = judged(make_history(tmp_path / "history", 150, seed), commits=120, seed=seed, pairs=60)
    assert counts[OTHERWISE] <= 0.02 * counts.total(), counts


@pytest.mark.long
@needs_repositories
@pytest.mark.parametrize("repository", REPOSITORIES, ids=str)
def test_of_real_histories(repository: Path) -> None:
    counts = judged(repository, commits=200, seed=11, pairs=40)
    assert counts[OTHERWISE] <= 0.02 * counts.total(), counts


def test_git_takes_a_draft_that_is_not_broken(tmp_path: Path) -> None:
    """What the engine is judged by is git's: a draft written as it was makes the tree of its commit."""
    repository = make_history(tmp_path / "history", 20, 3)
    seen = 0
    for outcome in run(repository, commits=15, seed=3, pairs=0, names=("as it was",)):
        assert outcome.outcome == EXACT, told(outcome)
        git(repository, "checkout", "-q", f"{outcome.commit}^")
        (tmp_path / "patch").write_bytes(outcome.text)
        git(repository, "apply", "--index", str(tmp_path / "patch"))
        assert git(repository, "write-tree") == git(repository, "rev-parse", f"{outcome.commit}^{{tree}}")
        git(repository, "reset", "-q", "--hard")
        seen += 1
    assert seen > 15


def test_commits_are_drawn_by_the_seed(tmp_path: Path) -> None:
    repository = make_history(tmp_path / "history", 12, 5)
    first = [commit.name for commit in commits_of(repository, 5, 1)]
    assert first == [commit.name for commit in commits_of(repository, 5, 1)]
    assert first != [commit.name for commit in commits_of(repository, 5, 2)]
