-- The first schema. Runs in one BEGIN IMMEDIATE with the version check, so that two processes may open a new file at
-- once. Never edited after a release: what changes becomes the next number.
--
-- Keys are integers and the journal grows at its end only. Measured with 1,000 rows of 200 bytes to a commit: append-only
-- by rowid with a narrow unique index 1.8 µs a row, clustered by run 3.2 µs; with 50,000 runs that are written to at
-- random, 8 µs and 31 µs.

-- oldest_code: the oldest schema number whose code may still work on this file (one release runs beside the next).
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('oldest_code', 1);

-- Who may commit for an app, the workflows that they have code for (JSON: version by name), and the last batch of
-- theirs that is in.
CREATE TABLE owners (
    app TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    worker TEXT NOT NULL,
    serves TEXT NOT NULL DEFAULT '{}',
    commit_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A run number is never given out again, because retention keeps the newest run: AUTOINCREMENT would write one more
-- page at every start. superseded: 0 for the current run of an id, its own number once the id went to another run.
-- chain: the first run of a chain of continue-as-new; NULL as long as there is only one, so that others pay nothing.
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    id TEXT NOT NULL,
    uid TEXT NOT NULL,
    app TEXT NOT NULL,
    workflow TEXT NOT NULL,
    version TEXT NOT NULL,
    state TEXT NOT NULL,
    wake INTEGER,
    started_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    closed_at INTEGER,
    parent INTEGER,
    error TEXT,
    input_hash TEXT NOT NULL,
    tags TEXT NOT NULL,
    superseded INTEGER NOT NULL DEFAULT 0,
    chain INTEGER,
    summary TEXT NOT NULL DEFAULT '',
    timer TEXT,
    awaits TEXT
) STRICT;
CREATE UNIQUE INDEX runs_by_id ON runs (namespace, id, superseded);
CREATE INDEX runs_by_state ON runs (namespace, state);
CREATE INDEX runs_by_workflow ON runs (namespace, workflow);
CREATE INDEX runs_by_chain ON runs (chain) WHERE chain IS NOT NULL;
CREATE INDEX runs_by_parent ON runs (parent) WHERE parent IS NOT NULL;
CREATE INDEX runs_due ON runs (app, wake) WHERE wake IS NOT NULL;
-- Holds all that figures over time are made of, so that they never read the runs themselves.
CREATE INDEX runs_closed ON runs (closed_at, namespace, workflow, version, state, started_at) WHERE closed_at IS NOT NULL;

-- The unique index is the second fence: no two writers can both have written the same place of a journal.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX journal_by_run ON journal (run, seq);

-- AUTOINCREMENT: messages are consumed by row, so a row number must never come to mean another message.
CREATE TABLE inbox (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX inbox_by_run ON inbox (run);

-- Message ids a chain of runs has seen (most have one run); they outlive the inbox rows, so that a message sent again
-- later is known: for as long as the run that got it is kept.
CREATE TABLE messages (
    chain INTEGER NOT NULL,
    message TEXT NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (chain, message)
) STRICT, WITHOUT ROWID;

-- Attempts that go on and have something to be kept beside the journal: the last heartbeat, and whether somebody
-- outside may complete them. One row for each call, overwritten; gone with the attempt's outcome.
CREATE TABLE attempts (
    run INTEGER NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    details BLOB,
    handed_over INTEGER NOT NULL,
    queue TEXT NOT NULL,
    seq INTEGER NOT NULL,
    timeout INTEGER NOT NULL,
    close_by INTEGER NOT NULL,
    claim INTEGER NOT NULL DEFAULT 0,
    lease INTEGER NOT NULL DEFAULT 0,
    began INTEGER NOT NULL DEFAULT 0,
    worker TEXT NOT NULL DEFAULT '',
    returned INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

-- Those that wait for a worker.
CREATE INDEX attempts_by_queue ON attempts (queue, at) WHERE queue <> '';

-- Steps that a person has paused for all runs of an app. state: paused, or resuming until every run that waits is told.
CREATE TABLE held_steps (
    app TEXT NOT NULL,
    namespace TEXT NOT NULL,
    step TEXT NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (app, namespace, step)
) STRICT, WITHOUT ROWID;

-- turn: where it stands among the others, see stores/task_rows.py.
CREATE TABLE tasks (
    task INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    assignee TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open',
    opened_at INTEGER NOT NULL,
    due INTEGER,
    form BLOB,
    subject BLOB,
    closed_at INTEGER,
    closed_by TEXT,
    outcome BLOB,
    claimed_by TEXT,
    claimed_at INTEGER,
    turn INTEGER NOT NULL AS (coalesce(closed_at, due, 4611686018427387904 + task)) VIRTUAL
) STRICT;
CREATE UNIQUE INDEX tasks_by_run ON tasks (run, key);
CREATE INDEX tasks_by_number ON tasks (namespace, task);
CREATE INDEX tasks_by_turn ON tasks (namespace, state, turn, task);
CREATE INDEX tasks_by_assignee ON tasks (namespace, assignee, state, turn, task);
CREATE INDEX tasks_by_claim ON tasks (namespace, claimed_by, state, turn, task) WHERE claimed_by IS NOT NULL;

-- What people have said and agreed about a task; never changed, only added to.
CREATE TABLE task_notes (
    note INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    task INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX task_notes_by_run ON task_notes (run, task);

-- value: JSON text.
CREATE TABLE attributes (
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX attributes_by_value ON attributes (name, value);

-- The words by which runs are found (run_words.py): of labels, attributes, summaries and errors; none of a run of which
-- none of these is said. The newest run with a word is at the end of the word's rows.
CREATE TABLE words (
    namespace TEXT NOT NULL,
    word TEXT NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (namespace, word, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX words_by_run ON words (run, word);

CREATE TABLE published (
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE state (
    namespace TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (namespace, scope, key)
) STRICT, WITHOUT ROWID;

-- The bytes of a value are here, or at the URL place, which says how many (size): never at both, never nowhere.
CREATE TABLE payloads (
    id INTEGER PRIMARY KEY,
    ref TEXT NOT NULL UNIQUE,
    place TEXT,
    data BLOB,
    size INTEGER,
    CHECK ((data IS NULL) <> (place IS NULL)),
    CHECK ((size IS NULL) = (place IS NULL))
) STRICT;
CREATE INDEX payloads_by_size ON payloads (length(data)) WHERE place IS NULL;
CREATE INDEX payloads_placed ON payloads (ref) WHERE place IS NOT NULL;

-- Places that no value is at: those of values that were dropped (since 0), and those to which one is on its way. Whatever
-- happens on that way, what is there is found here and removed.
CREATE TABLE leftovers (
    place TEXT PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The count of a payload is the number of its rows here: a count that is counted cannot drift.
CREATE TABLE payload_refs (
    run INTEGER NOT NULL,
    ref TEXT NOT NULL,
    PRIMARY KEY (run, ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX payload_refs_by_ref ON payload_refs (ref);

-- Schedules, and their backfills by name ('' is the schedule itself). revision: who has read an older one writes nothing.
-- waits: the end of a run may let it go on. turn: what is to be looked at first comes first; what never is, last.
CREATE TABLE schedules (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    backfill TEXT NOT NULL,
    app TEXT NOT NULL,
    workflow TEXT NOT NULL,
    revision INTEGER NOT NULL,
    wake INTEGER,
    waits INTEGER NOT NULL,
    plan BLOB NOT NULL,
    standing BLOB NOT NULL,
    turn INTEGER NOT NULL AS (coalesce(wake, 9223372036854775807)) VIRTUAL,
    PRIMARY KEY (namespace, name, backfill)
) STRICT;
CREATE INDEX schedules_by_turn ON schedules (namespace, turn, name, workflow) WHERE backfill = '';
CREATE INDEX schedules_due ON schedules (app, wake) WHERE wake IS NOT NULL;
CREATE INDEX schedules_waiting ON schedules (app) WHERE waits = 1;
-- Workflows to be started, written by users' own transactions: an interface, see docs/transactions.md. Deleted once the
-- run is there. input: JSON list of the arguments. uid: of the run that it becomes, so that it becomes one. error: why it
-- cannot be started; setting it to NULL has it tried again.
CREATE TABLE segue_outbox (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow TEXT NOT NULL,
    input TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(input) AND json_type(input) = 'array'),
    id TEXT,
    tags TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(tags) AND json_type(tags) = 'object'),
    namespace TEXT NOT NULL DEFAULT 'default',
    app TEXT NOT NULL DEFAULT 'default',
    uid TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))),
    error TEXT
) STRICT;

-- Where results of steps stand that may stand for later calls: event seq of run.
CREATE TABLE cached (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    step TEXT NOT NULL,
    key TEXT NOT NULL,
    run INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    expires INTEGER
) STRICT;
CREATE UNIQUE INDEX cached_by_key ON cached (namespace, step, key);
CREATE INDEX cached_by_run ON cached (run);
CREATE INDEX cached_by_expiry ON cached (expires) WHERE expires IS NOT NULL;

CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX artifacts_by_run ON artifacts (run, name);

-- What is said of namespaces. One without a row is one all the same (docs/adr/0034). retention: JSON list of rules, '' for
-- those of the settings.
CREATE TABLE namespaces (
    name TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    retention TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who may use the server (docs/access.md). password: how it is verified, never the password; '' for whoever logs in
-- elsewhere. roles: JSON, role by namespace, '*' for all of them. subject: who they are where they log in elsewhere.
CREATE TABLE segue_users (
    name TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    roles TEXT NOT NULL,
    subject TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX segue_users_by_subject ON segue_users (subject) WHERE subject IS NOT NULL;

-- API keys and sessions: digest is of what their holder keeps. permissions: JSON list. namespace '*': in all of them.
CREATE TABLE segue_keys (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    owner TEXT NOT NULL,
    label TEXT NOT NULL,
    namespace TEXT NOT NULL,
    permissions TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX segue_keys_by_owner ON segue_keys (owner);

CREATE TABLE segue_sessions (
    digest TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX segue_sessions_by_owner ON segue_sessions (owner);
CREATE INDEX segue_sessions_by_expiry ON segue_sessions (expires_at);

-- What was done over the server, and by whom: written once, never changed.
CREATE TABLE segue_audit (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome INTEGER NOT NULL,
    address TEXT NOT NULL,
    request TEXT NOT NULL
) STRICT;
CREATE INDEX segue_audit_by_namespace ON segue_audit (namespace, entry);
CREATE TRIGGER segue_audit_is_not_changed BEFORE UPDATE ON segue_audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER segue_audit_is_not_deleted BEFORE DELETE ON segue_audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- Answers to requests with an idempotency key. request: a hash of what was asked. status: NULL while it is carried out.
CREATE TABLE segue_answers (
    namespace TEXT NOT NULL,
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    at INTEGER NOT NULL,
    status INTEGER,
    body BLOB,
    PRIMARY KEY (namespace, actor, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX segue_answers_by_age ON segue_answers (at);
