-- The truth of one workspace. Times are UTC milliseconds, JSON is text, "search" is the casefolded text that filters
-- look through, and columns named *_rank or "resolved" are what default orders sort by; the repositories fill them.
-- Everything here is in the subset that SQLite and PostgreSQL share, apart from the triggers at the end.

CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    priority TEXT NOT NULL,
    dependencies TEXT NOT NULL,
    state TEXT NOT NULL,
    blocked_by TEXT NOT NULL,
    parent TEXT,
    tag TEXT,
    source TEXT NOT NULL,
    owner TEXT,
    phase TEXT,
    description TEXT NOT NULL,
    position INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    subtasks_done INTEGER NOT NULL,
    subtasks_total INTEGER NOT NULL,
    critical INTEGER NOT NULL,
    search TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX tasks_order ON tasks (parent, rank, position, id);
CREATE INDEX tasks_state ON tasks (parent, state, rank, position, id);
CREATE INDEX tasks_source ON tasks (source);

CREATE TABLE task_sources (
    source TEXT PRIMARY KEY,
    stamp TEXT NOT NULL
);

CREATE TABLE patches (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    task TEXT,
    provider TEXT,
    execution TEXT,
    format TEXT NOT NULL,
    files TEXT NOT NULL,
    added INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    hunks INTEGER NOT NULL,
    risk TEXT NOT NULL,
    base TEXT,
    plan_hash TEXT,
    checks TEXT NOT NULL,
    repairs INTEGER NOT NULL,
    report TEXT NOT NULL,
    reason TEXT,
    submitted_by TEXT NOT NULL,
    decided_by TEXT,
    receipt TEXT,
    pending_receipt TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    applied_at INTEGER,
    search TEXT NOT NULL
);
CREATE INDEX patches_state ON patches (state, id);
CREATE INDEX patches_task ON patches (task, id);
CREATE INDEX patches_updated ON patches (updated_at, id);
CREATE INDEX patches_pending ON patches (id) WHERE pending_receipt IS NOT NULL;

CREATE TABLE patch_versions (
    patch INTEGER NOT NULL REFERENCES patches (id),
    version INTEGER NOT NULL,
    format TEXT NOT NULL,
    at INTEGER NOT NULL,
    text BLOB NOT NULL,
    PRIMARY KEY (patch, version)
);

CREATE TABLE patch_decisions (
    patch INTEGER NOT NULL REFERENCES patches (id),
    hunk INTEGER NOT NULL,
    decision TEXT NOT NULL,
    "by" TEXT NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT,
    PRIMARY KEY (patch, hunk)
);

CREATE TABLE patch_seen (
    patch INTEGER NOT NULL REFERENCES patches (id),
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (patch, path)
);

CREATE TABLE patch_comments (
    id INTEGER PRIMARY KEY,
    patch INTEGER NOT NULL REFERENCES patches (id),
    text TEXT NOT NULL,
    "by" TEXT NOT NULL,
    at INTEGER NOT NULL,
    path TEXT,
    line INTEGER
);
CREATE INDEX patch_comments_patch ON patch_comments (patch, id);

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    task TEXT,
    message TEXT NOT NULL,
    data TEXT NOT NULL,
    search TEXT NOT NULL
);
CREATE INDEX events_subject ON events (subject, subject_id, seq, at);
CREATE INDEX events_type ON events (type, seq);
CREATE INDEX events_task ON events (task, at) WHERE task IS NOT NULL;

CREATE VIEW patch_events AS
SELECT seq, type, at, actor, subject_id AS patch, task, message, data FROM events WHERE subject = 'patch';

CREATE TABLE delivery_reports (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    data TEXT NOT NULL,
    search TEXT NOT NULL
);
CREATE INDEX delivery_reports_created ON delivery_reports (created_at, id);

CREATE TABLE ai_provider_configs (
    name TEXT PRIMARY KEY,
    enabled INTEGER NOT NULL,
    data TEXT NOT NULL
);

CREATE TABLE ai_provider_probes (
    name TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    data TEXT NOT NULL
);

CREATE TABLE ai_provider_assignments (
    task TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    reason TEXT NOT NULL,
    "by" TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE INDEX ai_provider_assignments_provider ON ai_provider_assignments (provider);

CREATE TABLE ai_provider_executions (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    state TEXT NOT NULL,
    task TEXT,
    started_at INTEGER,
    ended_at INTEGER,
    tokens INTEGER NOT NULL,
    cost_micros INTEGER NOT NULL,
    patch TEXT,
    base TEXT,
    pid INTEGER,
    exit_code INTEGER,
    log TEXT,
    message TEXT NOT NULL,
    search TEXT NOT NULL
);
CREATE INDEX ai_provider_executions_state ON ai_provider_executions (state, id);
CREATE INDEX ai_provider_executions_provider ON ai_provider_executions (provider, id);
CREATE INDEX ai_provider_executions_task ON ai_provider_executions (task, id);

CREATE TABLE ops_issues (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    detector TEXT NOT NULL,
    severity TEXT NOT NULL,
    status TEXT NOT NULL,
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    owner TEXT,
    snoozed_until INTEGER,
    resolved_at INTEGER,
    resolved_by TEXT,
    regressions INTEGER NOT NULL,
    cause TEXT,
    resolved INTEGER NOT NULL,
    severity_rank INTEGER NOT NULL,
    search TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX ops_issues_order ON ops_issues (resolved, severity_rank, last_seen DESC, id DESC);
CREATE INDEX ops_issues_status ON ops_issues (status, severity, id);

CREATE TABLE ops_scans (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    state TEXT NOT NULL,
    "trigger" TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    findings INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    resolved INTEGER NOT NULL,
    detectors TEXT NOT NULL,
    search TEXT NOT NULL
);
CREATE INDEX ops_scans_scope ON ops_scans (scope, id);

CREATE TABLE scan_runs (
    scope TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    holder TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    scan TEXT,
    message TEXT NOT NULL,
    PRIMARY KEY (scope, due_at)
);
CREATE INDEX scan_runs_due ON scan_runs (due_at);

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    expires_boot REAL NOT NULL,
    ttl REAL NOT NULL,
    host TEXT NOT NULL,
    renewed_at INTEGER NOT NULL
);

CREATE TABLE audit_log (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    via TEXT NOT NULL,
    verb TEXT NOT NULL,
    object TEXT NOT NULL,
    result TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL,
    search TEXT NOT NULL
);
CREATE INDEX audit_log_object ON audit_log (object, seq);

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL
);

CREATE TABLE idempotency (
    key TEXT PRIMARY KEY,
    command TEXT NOT NULL,
    answer TEXT NOT NULL,
    at INTEGER NOT NULL
);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
);

CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
