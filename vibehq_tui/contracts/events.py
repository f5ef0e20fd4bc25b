"""The types of events. Every step of anything is one of these; the names are stable."""

from __future__ import annotations

from typing import Final

PATCH_RECEIVED: Final = "patch.received"
PATCH_VALIDATION_STARTED: Final = "patch.validation.started"
PATCH_VALIDATION_COMPLETED: Final = "patch.validation.completed"
PATCH_VALIDATION_FAILED: Final = "patch.validation.failed"
PATCH_VALIDATED: Final = "patch.validated"
PATCH_PROPOSED: Final = "patch.proposed"
PATCH_HUNK_DECIDED: Final = "patch.hunk.decided"
PATCH_COMMENTED: Final = "patch.commented"
PATCH_COMMENT_RESOLVED: Final = "patch.comment.resolved"
PATCH_COMMENT_REMOVED: Final = "patch.comment.removed"
PATCH_REVISED: Final = "patch.revised"
PATCH_DECISION_UNDONE: Final = "patch.decision.undone"
PATCH_DECISION_REDONE: Final = "patch.decision.redone"
PATCH_APPROVED: Final = "patch.approved"
PATCH_APPROVAL_VOID: Final = "patch.approval.void"
PATCH_APPROVAL_CARRIED: Final = "patch.approval.carried"
PATCH_REJECTED: Final = "patch.rejected"
PATCH_REOPENED: Final = "patch.reopened"
PATCH_PROCESSING_STARTED: Final = "patch.processing.started"
PATCH_PROCESSING_COMPLETED: Final = "patch.processing.completed"
PATCH_PROCESSING_FAILED: Final = "patch.processing.failed"
PATCH_APPLIED: Final = "patch.applied"
PATCH_CHECKS_STARTED: Final = "patch.checks.started"
PATCH_CHECKS_FAILED: Final = "patch.checks.failed"
PATCH_VERIFIED: Final = "patch.verified"
PATCH_REMEDIATED: Final = "patch.remediated"
PATCH_CONFLICTED: Final = "patch.conflicted"
PATCH_CONFLICT_RESOLVED: Final = "patch.conflict.resolved"
PATCH_ROLLBACK_STARTED: Final = "patch.rollback.started"
PATCH_ROLLBACK_COMPLETED: Final = "patch.rollback.completed"
PATCH_ROLLBACK_FAILED: Final = "patch.rollback.failed"
PATCH_REVERTED: Final = "patch.reverted"
PATCH_RECOVERED: Final = "patch.recovered"
PATCH_DELIVERED: Final = "patch.delivered"
PATCH_DELIVERY_FAILED: Final = "patch.delivery.failed"

TASKS_SYNCED: Final = "tasks.synced"
TASKS_INVALID: Final = "tasks.invalid"
TASK_ADDED: Final = "task.added"
TASK_STATUS_CHANGED: Final = "task.status.changed"
TASK_ASSIGNED: Final = "task.assigned"

ISSUE_OPENED: Final = "issue.opened"
ISSUE_SEEN: Final = "issue.seen"
ISSUE_ACKNOWLEDGED: Final = "issue.acknowledged"
ISSUE_SNOOZED: Final = "issue.snoozed"
ISSUE_CLAIMED: Final = "issue.claimed"
ISSUE_RESOLVED: Final = "issue.resolved"
ISSUE_REGRESSED: Final = "issue.regressed"
ISSUE_REOPENED: Final = "issue.reopened"
SCAN_STARTED: Final = "scan.started"
SCAN_COMPLETED: Final = "scan.completed"
SCAN_FAILED: Final = "scan.failed"
LEADER_CHANGED: Final = "leader.changed"
SCHEDULE_PAUSED: Final = "schedule.paused"
SCHEDULE_RESUMED: Final = "schedule.resumed"

EXECUTION_STARTED: Final = "execution.started"
EXECUTION_ENDED: Final = "execution.ended"
PROVIDERS_PROBED: Final = "providers.probed"

EVENT_TYPES: Final[frozenset[str]] = frozenset(
    value for name, value in list(globals().items()) if name.isupper() and isinstance(value, str)
)
"""Every event type that the program itself emits."""

PATCH_EVENT_TYPES: Final[frozenset[str]] = frozenset(name for name in EVENT_TYPES if name.startswith("patch."))
"""The event types that are about a patch; the ones that external tools may post."""
