"""Real commits broken in every way in which agents break patches, alone and in pairs; the engine judged by git's trees.

    python benchmarks/mutations.py REPOSITORY... [--commits 100] [--pairs 40] [--seed 1] [--show WHAT] [--keep FOLDER]

Prints for each mutation how often the engine made the exact tree, refused for a reason that is right for that mutation,
refused otherwise, or was wrong without a word. A patch that by its numbers means something else after the mutation, and
was applied as it says, is counted on its own. Goals: 98 % exact or rightly refused, nothing wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "patches" / "mutations"))

from mutation_runner import AS_IT_SAYS, CRASHED, EXACT, OTHERWISE, RIGHTLY, WRONG, Outcome, reproduced, run
from mutations import MUTATIONS

GOAL = 0.98
KINDS = (EXACT, RIGHTLY, AS_IT_SAYS, OTHERWISE, CRASHED, WRONG)


def report(title: str, rows: dict[str, Counter[str]]) -> None:
    """A table."""
    print(f"\n{title:<24}  cases  exact  rightly  as says otherwise  crash  WRONG")
    for name, counts in rows.items():
        cases = sum(counts.values())
        if cases:
            cells = [counts[kind] for kind in KINDS]
            print(
                f"{name:<24} {cases:>6} "
                + " ".join(f"{cell:>{width}}" for cell, width in zip(cells, (6, 8, 8, 9, 6, 6), strict=True))
            )


def _sum(rows: dict[str, Counter[str]], kind: str) -> int:
    return sum(counts[kind] for counts in rows.values())


def main() -> None:
    """Runs all and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--commits", type=int, default=100, help="of each repository")
    parser.add_argument("--pairs", type=int, default=40, help="pairs of mutations for each commit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="these mutations only, by name")
    parser.add_argument("--show", type=int, default=0, help="so many of each kind of failure, with the difference")
    parser.add_argument("--keep", type=Path, help="write what failed into this folder")
    options = parser.parse_args()
    alone: dict[str, Counter[str]] = {name: Counter() for name in MUTATIONS}
    paired: dict[str, Counter[str]] = {name: Counter() for name in MUTATIONS}
    reasons: Counter[tuple[str, str, str]] = Counter()
    shown: Counter[tuple[str, str]] = Counter()
    started = time.perf_counter()
    number = 0
    for repository in options.repositories:
        names = tuple(options.only or MUTATIONS)
        for outcome in run(
            repository.resolve(), commits=options.commits, seed=options.seed, pairs=options.pairs, names=names
        ):
            for name in outcome.mutations:
                (alone if len(outcome.mutations) == 1 else paired)[name][outcome.outcome] += 1
            if outcome.outcome in (OTHERWISE, CRASHED, WRONG):
                number += 1
                tell(outcome, number, repository, options, shown)
                code = outcome.detail.partition(":")[0] if outcome.outcome != WRONG else ""
                reasons[(outcome.outcome, " + ".join(outcome.mutations) + f" ({outcome.style})", code)] += 1
    report("alone", alone)
    report("in pairs", paired)
    total = Counter({kind: _sum(alone, kind) + _sum(paired, kind) // 2 for kind in KINDS})
    cases = max(sum(total.values()), 1)
    right = total[EXACT] + total[RIGHTLY] + total[AS_IT_SAYS]
    print(f"\n{cases} cases in {time.perf_counter() - started:.0f} s: {dict(total)}")
    print(f"exact, rightly refused, or as it says  {right / cases:8.2%}   (goal: at least {GOAL:.0%})")
    print(f"silently wrong                         {total[WRONG]:8}   (goal: 0)")
    for (kind, names_, code), count in reasons.most_common(40):
        print(f"  {count:5} {kind}: {names_} {code}")


def tell(
    outcome: Outcome, number: int, repository: Path, options: argparse.Namespace, shown: Counter[tuple[str, str]]
) -> None:
    """Shows a failure, and keeps it, as far as asked for."""
    key = (outcome.outcome, " + ".join(outcome.mutations) + outcome.style + outcome.detail[:12])
    shown[key] += 1
    if shown[key] > options.show:
        return
    print(f"{outcome.outcome}: {' + '.join(outcome.mutations)} ({outcome.style}), {repository.name} {outcome.commit}")
    print("    " + outcome.detail[:3000].replace("\n", "\n    "))
    if options.keep is not None:
        print(f"    {reproduced(outcome, options.keep, f'{number:05}')}")


if __name__ == "__main__":
    main()
