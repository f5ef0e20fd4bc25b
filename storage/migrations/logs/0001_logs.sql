-- Worker and build logs, apart from the truth so that they never hold its lock. The full-text tables are filled in
-- batches after the lines are in (log_index says how far); trigrams find any substring of three characters or more.

CREATE TABLE worker_logs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    at INTEGER NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX worker_logs_source ON worker_logs (source, seq);

CREATE TABLE build_logs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    at INTEGER NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX build_logs_source ON build_logs (source, seq);

CREATE TABLE log_sources (
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    lines INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (kind, source)
);

CREATE TABLE log_index (
    kind TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
);

CREATE VIRTUAL TABLE worker_logs_text USING fts5 (
    text, content = 'worker_logs', content_rowid = 'seq', tokenize = 'trigram'
);
CREATE VIRTUAL TABLE build_logs_text USING fts5 (
    text, content = 'build_logs', content_rowid = 'seq', tokenize = 'trigram'
);
