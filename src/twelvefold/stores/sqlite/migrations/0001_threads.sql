-- The first schema: the log, what is derived from it, and the wakes of the embedded engine.
-- Events name their thread by a number and lie at `place`, made of that number and `seq`: those of one
-- thread lie together, each is found in one descent, and the names of tenant and thread are not repeated
-- in every row. A rowid, not WITHOUT ROWID: that splits pages for every few events, and a commit writes
-- about one page more.

-- Which migrations ran. Other applications may keep tables in this file, so user_version is not ours.
create table twelvefold_migrations (
    number     integer primary key,
    name       text not null,
    applied_at text not null
);

-- One row per thread, read and written once per append. `n` counts launches and orders pages; `chain`
-- is that of the newest event; `summary` and `status` are a projection.
create table twelvefold_threads (
    n             integer primary key autoincrement,
    tenant        text    not null,
    id            text    not null,
    agent         text    not null,
    parent_thread text,
    parent_step   text,
    parent_intent text,
    head          integer not null,
    epoch         integer not null,
    chain         blob    not null,
    status        text    not null,
    summary       text    not null,
    unique (tenant, id)
);

create index twelvefold_threads_by_age on twelvefold_threads (tenant, n);
create index twelvefold_threads_by_status on twelvefold_threads (tenant, status, n);
create index twelvefold_threads_by_agent on twelvefold_threads (tenant, agent, n);

-- The log. `data` is JSON text, exactly as it was hashed. The commitment to it is SHA-256(salt + data),
-- and chain = SHA-256(chain before + canonical JSON of [tenant, thread id, seq, type, v, key, after, at]
-- + commitment); the first one follows a hash of tenant, id, agent and parent. "commit" holds the commitment
-- of an event whose data and salt were erased; before that it follows from them and is null.
create table twelvefold_events (
    place     integer primary key check (place = (thread << 32) + seq),
    thread    integer not null references twelvefold_threads (n),
    seq       integer not null,
    type      text    not null,
    v         integer not null,
    key       text,
    after     integer,
    at        text    not null,
    data      text,
    salt      blob,
    "commit"  blob,
    chain     blob    not null
);

-- A key is used once per thread: what makes facts idempotent.
create unique index twelvefold_events_by_key on twelvefold_events (thread, key) where key is not null;

-- Projection: questions and approvals. `seq` is the event that asked; `asks` is its policy, canonical.
create table twelvefold_contacts (
    thread    integer not null references twelvefold_threads (n),
    id        text    not null,
    tenant    text    not null,
    seq       integer not null,
    asked_at  text    not null,
    deadline  text,
    risk      text not null,
    asks      text not null,
    outcome   text,
    closed_at text,
    primary key (thread, id)
) without rowid;

-- In the order of the inbox, and of its history.
create index twelvefold_contacts_open on twelvefold_contacts
    (tenant, coalesce(deadline, '~'), asked_at, thread, seq) where outcome is null;
create index twelvefold_contacts_closed on twelvefold_contacts (tenant, closed_at, thread, seq)
    where outcome is not null;

-- Threads that wait to be advanced. AUTOINCREMENT never gives a version twice, so an advance that
-- served an old wake can never end a newer one.
create table twelvefold_wakes (
    version   integer primary key autoincrement,
    tenant    text not null,
    thread_id text not null,
    unique (tenant, thread_id)
);

-- Wakes that lie in the future. Without a thread's id they are of the store itself: its schedules.
create table twelvefold_timers (
    tenant    text not null,
    thread_id text not null,
    key       text not null,
    due       text not null,
    primary key (tenant, thread_id, key)
) without rowid;

create index twelvefold_timers_by_due on twelvefold_timers (due);

-- Attachments: bytes under their SHA-256, kept before the event that names them. With a rowid, so that
-- the index holds no content.
create table twelvefold_blobs (
    tenant  text    not null,
    sha256  text    not null,
    size    integer not null,
    content blob    not null,
    primary key (tenant, sha256)
);

-- Keys for requests over HTTP: the SHA-256 of the secret and of the one before it, never a secret. A row
-- with `once` is the token of a link to sign in by.
create table twelvefold_keys (
    id           text primary key,
    name         text not null,
    secret       text not null,
    created_at   text not null,
    tenant       text not null,
    scopes       text not null,
    person       text,
    once         integer not null,
    former       text,
    former_until text,
    expires_at   text,
    revoked_at   text,
    used_at      text
);

-- Counts that all processes share: when the next turn of a rate begins, and what was spent of a budget. Times
-- are seconds since 1970; after `until` a row means nothing.
create table twelvefold_meters (
    name  text primary key,
    level double precision not null,
    until double precision
);

-- Requests over HTTP that may come twice: what was asked under a key, and what it was answered; or who
-- works on it, until when others may take it over.
create table twelvefold_requests (
    tenant      text not null,
    key         text not null,
    fingerprint text not null,
    owner       text not null,
    began       text not null,
    busy_until  text not null,
    keep_until  text not null,
    reply       text,
    primary key (tenant, key)
);

create index twelvefold_requests_by_end on twelvefold_requests (keep_until);
