-- The first schema: the log, what is derived from it, and the wakes of the embedded engine.
-- Tables are WITHOUT ROWID: the events of one thread lie together, and each row is found in one descent.

-- Which migrations ran. Other applications may keep tables in this file, so user_version is not ours.
create table twelvefold_migrations (
    number     integer primary key,
    name       text not null,
    applied_at text not null
);

-- One row per thread, read and written once per append. `ord` counts launches within the tenant and
-- orders pages; `chain` is that of the newest event; `summary` and `status` are a projection.
create table threads (
    tenant        text    not null,
    id            text    not null,
    ord           integer not null,
    agent         text    not null,
    parent_thread text,
    parent_step   text,
    head          integer not null,
    epoch         integer not null,
    chain         blob    not null,
    status        text    not null,
    summary       text    not null,
    primary key (tenant, id)
) without rowid;

create unique index threads_by_age on threads (tenant, ord);
create index threads_by_status on threads (tenant, status, ord);
create index threads_by_agent on threads (tenant, agent, ord);

-- The log. `data` is JSON text, exactly as it was hashed. "commit" = SHA-256(salt + data), and
-- chain = SHA-256(chain before + canonical JSON of [tenant, thread_id, seq, type, v, key, after, at]
-- + "commit"): data and salt can be erased later without breaking the chain.
create table events (
    tenant    text    not null,
    thread_id text    not null,
    seq       integer not null,
    type      text    not null,
    v         integer not null,
    key       text,
    after     integer,
    at        text    not null,
    data      text,
    salt      blob,
    "commit"  blob    not null,
    chain     blob    not null,
    primary key (tenant, thread_id, seq)
) without rowid;

-- A key is used once per thread: what makes facts idempotent.
create unique index events_by_key on events (tenant, thread_id, key) where key is not null;

-- Projection: questions and approvals. `seq` is the event that asked.
create table contacts (
    tenant    text    not null,
    thread_id text    not null,
    id        text    not null,
    seq       integer not null,
    asked_at  text    not null,
    deadline  text,
    outcome   text,
    closed_at text,
    primary key (tenant, thread_id, id)
) without rowid;

create index contacts_open on contacts (tenant, asked_at) where outcome is null;

-- Threads that wait to be advanced. AUTOINCREMENT never gives a version twice, so an advance that
-- served an old wake can never end a newer one.
create table wakes (
    version   integer primary key autoincrement,
    tenant    text not null,
    thread_id text not null,
    unique (tenant, thread_id)
);

-- Wakes that lie in the future.
create table timers (
    tenant    text not null,
    thread_id text not null,
    key       text not null,
    due       text not null,
    primary key (tenant, thread_id, key)
) without rowid;

create index timers_by_due on timers (due);
