-- Which commit holds an applied patch, and on which branch, where it was applied as a commit.
ALTER TABLE patches ADD COLUMN commit_id TEXT;
ALTER TABLE patches ADD COLUMN branch TEXT;
