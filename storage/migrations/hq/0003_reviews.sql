-- Who made each version of a patch and why; what a decision was made about; comments that quote, follow and are
-- settled; and what each operator did in a review, to undo and redo it.
ALTER TABLE patch_versions ADD COLUMN "by" TEXT NOT NULL DEFAULT '';
ALTER TABLE patch_versions ADD COLUMN base TEXT;
ALTER TABLE patch_versions ADD COLUMN reason TEXT NOT NULL DEFAULT '';

ALTER TABLE patch_decisions ADD COLUMN digest TEXT;

ALTER TABLE patch_comments ADD COLUMN hunk INTEGER;
ALTER TABLE patch_comments ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE patch_comments ADD COLUMN quote TEXT NOT NULL DEFAULT '';
ALTER TABLE patch_comments ADD COLUMN resolved_by TEXT;
ALTER TABLE patch_comments ADD COLUMN resolved_at INTEGER;

CREATE TABLE patch_actions (
    id INTEGER PRIMARY KEY,
    patch INTEGER NOT NULL REFERENCES patches (id),
    "by" TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    undone INTEGER NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX patch_actions_stack ON patch_actions (patch, "by", id);
