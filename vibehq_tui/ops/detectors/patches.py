"""Patches that wait too long, no longer apply, or carry a secret."""

from __future__ import annotations

from collections import Counter

from storage.clock import Millis
from storage.query import Query
from storage.records import Patch
from storage.store import Tx
from vibehq_tui.contracts.config_reader import span
from vibehq_tui.ops.context import ScanContext
from vibehq_tui.ops.desk import OPEN_STATES, Planned
from vibehq_tui.ops.detectors.examine import examine, patches_of
from vibehq_tui.ops.model import Finding
from vibehq_tui.text.secrets import RULES, SecretHit

_SHOWN = 20
"""How many problems or secrets go into the evidence."""
_UNCERTAIN_RULES = frozenset({"secret-assignment", "url-password", "json-web-token"})


class StalePatch:
    """Open patches that nobody decided about for too long."""

    id = "stale-patch"
    title = "Patches that wait too long"
    severity = "low"
    scope = "incremental"
    cost = "low"
    subject = "patch"

    async def look(self, ctx: ScanContext) -> list[Finding]:
        """One finding for each open patch older than ``scan.thresholds.stale_patch``."""
        threshold = ctx.config.scan.thresholds.stale_patch * 1000

        def body(tx: Tx) -> list[Patch]:
            query = Query(where={"state": OPEN_STATES}, order="created_at")
            found: list[Patch] = []
            # the oldest first, in pages: a long queue is read only as far as it is stale
            while page := tx.patches.page(query, len(found), 500):
                stale = [patch for patch in page if ctx.now - patch.created_at >= threshold]
                found += stale
                if len(stale) < len(page):
                    break
            return found

        return [self._finding(patch, ctx.now) for patch in await ctx.store.read(body)]

    def _finding(self, patch: Patch, now: Millis) -> Finding:
        days = (now - patch.created_at) // 86_400_000
        age = f"{days} days" if days > 1 else span((now - patch.created_at) // 3_600_000 * 3600)
        what = "approved but not applied" if patch.state == "approved" else "without a decision"
        return Finding(
            key=(patch.id,),
            title=f"Patch {patch.id} is stale: {patch.title}",
            severity=self.severity,
            message=f"It has been open for {age}, {what}. Decide about it, or reject it.",
            subject=self.subject,
            subject_id=patch.id,
            data={"patches": [patch.id], "state": patch.state, "task": patch.task, "createdAt": patch.created_at},
        )


class PatchDoesNotApply:
    """Open patches that do not fit the tree as it is now."""

    id = "patch-does-not-apply"
    title = "Patches that no longer apply"
    severity = "medium"
    scope = "incremental"
    cost = "high"
    subject = "patch"

    async def look(self, ctx: ScanContext) -> list[Finding]:
        """One finding for each open patch whose plan fails."""
        planned = await examine(ctx)
        return [self._finding(patch, plan) for patch, plan in planned or () if not plan.ok]

    def _finding(self, patch: Patch, plan: Planned) -> Finding:
        problems = [dict(problem) for problem in plan.problems]
        first = str(problems[0].get("message", "")) if problems else ""
        data = {"patches": [patch.id], "task": patch.task, "problems": problems[:_SHOWN], "count": len(problems)}
        if problems and all(problem.get("code") == "already-applied" for problem in problems):
            return Finding(
                key=(patch.id,),
                title=f"Patch {patch.id} is already in the tree: {patch.title}",
                severity="low",
                message="Everything that it changes is there already. Reject it, or mark its task as done.",
                subject=self.subject,
                subject_id=patch.id,
                data=data,
            )
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        return Finding(
            key=(patch.id,),
            title=f"Patch {patch.id} does not apply: {patch.title}",
            severity="high" if patch.state == "approved" else self.severity,
            message=f"{first or 'It does not fit the tree as it is now'}{more}. Send it back, or reject it.",
            subject=self.subject,
            subject_id=patch.id,
            data=data,
        )


class SecretInPatch:
    """Secrets in the lines that open patches add. The evidence is redacted; the secret is stored nowhere."""

    id = "secret-in-patch"
    title = "Secrets in proposed patches"
    severity = "critical"
    scope = "incremental"
    cost = "high"
    subject = "patch"

    async def look(self, ctx: ScanContext) -> list[Finding]:
        """One finding for each open patch that adds secrets; one that was applied with its secret stays an issue."""
        planned = await examine(ctx)
        if planned is None:
            return []
        unread = {patch.id for patch, plan in planned if plan.secrets is None}
        ctx.keep(issue for issue in ctx.known if unread.intersection(patches_of(issue)))
        await self._keep_applied(ctx)
        return [self._finding(patch, plan.secrets) for patch, plan in planned if plan.secrets]

    async def _keep_applied(self, ctx: ScanContext) -> None:
        def body(tx: Tx) -> set[str]:
            found = (tx.patches.get(patch) for issue in ctx.known for patch in patches_of(issue))
            return {patch.id for patch in found if patch is not None and patch.state in ("applied", "verified")}

        if ctx.known:
            applied = await ctx.store.read(body)
            ctx.keep(
                (issue for issue in ctx.known if applied.intersection(patches_of(issue))),
                "secrets that were applied stay issues until an operator resolves them",
            )

    def _finding(self, patch: Patch, secrets: tuple[tuple[str, SecretHit], ...]) -> Finding:
        kinds = Counter(RULES[hit.rule].title for _, hit in secrets)
        what = ", ".join(f"{kind} ×{count}" if count > 1 else kind for kind, count in kinds.most_common(3))
        path, first = secrets[0]
        certain = any(hit.rule not in _UNCERTAIN_RULES for _, hit in secrets)
        return Finding(
            key=(patch.id,),
            title=f"Patch {patch.id} adds a secret: {what}",
            severity=self.severity if certain else "high",
            message=f"{path} line {first.line}: {first.redacted}. Reject it, and change the secret where it is valid: "
            "whoever wrote the patch has it.",
            subject=self.subject,
            subject_id=patch.id,
            data={
                "patches": [patch.id],
                "task": patch.task,
                "count": len(secrets),
                "secrets": [
                    {"path": path, "line": hit.line, "rule": hit.rule, "redacted": hit.redacted}
                    for path, hit in secrets[:_SHOWN]
                ],
            },
        )
