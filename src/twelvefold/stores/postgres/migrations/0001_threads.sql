-- The first schema: the log, what is derived from it, and the wakes of the embedded engine.
-- Columns that are compared or hashed are text in collation "C": the same bytes and the same order as in
-- every other store. Times are RFC 3339 in UTC with microseconds, so that text order is time order.

-- Which migrations ran.
create table twelvefold_migrations (
    number     integer primary key,
    name       text not null,
    applied_at text not null
);

-- One row per thread, locked and written once per append. `n` counts launches and orders pages; `chain`
-- is that of the newest event; `summary` and `status` are a projection. Room is left in each page, so
-- that an append writes the row beside its older version and no index. `parked_at` is the head at which an
-- advance last left nothing to do: where it is behind, and nothing wakes the thread, a wake was lost.
create table twelvefold_threads (
    n             bigint generated always as identity primary key,
    tenant        text collate "C" not null,
    id            text collate "C" not null,
    agent         text collate "C" not null,
    parent_thread text collate "C",
    parent_step   text collate "C",
    parent_intent text collate "C",
    head          bigint not null,
    epoch         bigint not null,
    parked_at     bigint not null default 0,
    chain         bytea  not null,
    status        text collate "C" not null,
    summary       text   not null,
    unique (tenant, id)
) with (fillfactor = 70);

create index twelvefold_threads_by_age on twelvefold_threads (tenant, n);
create index twelvefold_threads_by_status on twelvefold_threads (tenant, status, n);
create index twelvefold_threads_by_agent on twelvefold_threads (tenant, agent, n);
-- People name a thread by the end of its id.
create index twelvefold_threads_by_end on twelvefold_threads (tenant, reverse(id));

-- The log. `data` is JSON text, exactly as it was hashed: jsonb would refuse NUL and rewrite numbers. The
-- commitment to it is SHA-256(salt + data), and chain = SHA-256(chain before + canonical JSON of [tenant,
-- thread id, seq, type, v, key, after, at] + commitment); the first one follows a hash of tenant, id, agent
-- and parent. "commit" holds the commitment of an event whose data and salt were erased; before that it
-- follows from them and is null.
create table twelvefold_events (
    thread   bigint not null references twelvefold_threads (n),
    seq      bigint not null,
    type     text collate "C" not null,
    v        integer not null,
    key      text collate "C",
    after    bigint,
    at       text collate "C" not null,
    data     text,
    salt     bytea,
    "commit" bytea,
    chain    bytea  not null,
    primary key (thread, seq)
);

-- A key is used once per thread: what makes facts idempotent.
create unique index twelvefold_events_by_key on twelvefold_events (thread, key) where key is not null;

-- Projection: questions and approvals. `seq` is the event that asked; `asks` is its policy, canonical.
create table twelvefold_contacts (
    thread    bigint not null references twelvefold_threads (n),
    id        text collate "C" not null,
    tenant    text collate "C" not null,
    seq       bigint not null,
    asked_at  text collate "C" not null,
    deadline  text collate "C",
    risk      text collate "C" not null,
    asks      text collate "C" not null,
    outcome   text,
    closed_at text collate "C",
    primary key (thread, id)
);

-- In the order of the inbox, and of its history.
create index twelvefold_contacts_open on twelvefold_contacts
    (tenant, coalesce(deadline, '~'), asked_at, thread, seq) where outcome is null;
create index twelvefold_contacts_closed on twelvefold_contacts (tenant, closed_at, thread, seq)
    where outcome is not null;

-- Threads that wait to be advanced. A sequence never gives a version twice, so an advance that served an
-- old wake can never end a newer one.
create sequence twelvefold_wake_versions;

create table twelvefold_wakes (
    tenant    text collate "C" not null,
    thread_id text collate "C" not null,
    version   bigint not null,
    primary key (tenant, thread_id)
);

-- Wakes that lie in the future. Without a thread's id they are of the store itself: its schedules.
create table twelvefold_timers (
    tenant    text collate "C" not null,
    thread_id text collate "C" not null,
    key       text collate "C" not null,
    due       text collate "C" not null,
    primary key (tenant, thread_id, key)
);

create index twelvefold_timers_by_due on twelvefold_timers (due);

-- Attachments: bytes under their SHA-256, kept before the event that names them.
create table twelvefold_blobs (
    tenant  text collate "C" not null,
    sha256  text collate "C" not null,
    size    bigint not null,
    content bytea  not null,
    primary key (tenant, sha256)
);

-- Keys for requests over HTTP: the SHA-256 of the secret and of the one before it, never a secret. A row
-- with `once` is the token of a link to sign in by.
create table twelvefold_keys (
    id           text collate "C" primary key,
    name         text not null,
    secret       text collate "C" not null,
    created_at   text collate "C" not null,
    tenant       text collate "C" not null,
    scopes       text not null,
    person       text,
    once         integer not null,
    former       text collate "C",
    former_until text collate "C",
    expires_at   text collate "C",
    revoked_at   text collate "C",
    used_at      text collate "C"
);

-- Counts that all processes share: when the next turn of a rate begins, and what was spent of a budget. Times
-- are seconds since 1970; after `until` a row means nothing.
create table twelvefold_meters (
    name  text collate "C" primary key,
    level double precision not null,
    until double precision
);

-- Requests over HTTP that may come twice: what was asked under a key, and what it was answered; or who
-- works on it, until when others may take it over.
create table twelvefold_requests (
    tenant      text collate "C" not null,
    key         text collate "C" not null,
    fingerprint text collate "C" not null,
    owner       text collate "C" not null,
    began       text collate "C" not null,
    busy_until  text collate "C" not null,
    keep_until  text collate "C" not null,
    reply       text,
    primary key (tenant, key)
);

create index twelvefold_requests_by_end on twelvefold_requests (keep_until);

-- Transactions that were lent to a tool. The store deletes its row right before it commits; whoever else
-- commits is refused, and all that the transaction holds is undone.
create table twelvefold_loans (
    id bigint generated always as identity primary key
);

create function twelvefold_refuse_commit() returns trigger language plpgsql set search_path from current as $$
begin
    if exists (select from twelvefold_loans where id = new.id) then
        raise exception 'a tool tried to commit call.connection' using errcode = 'invalid_transaction_termination';
    end if;
    return null;
end
$$;

create constraint trigger twelvefold_loans_are_given_back after insert on twelvefold_loans
    deferrable initially deferred for each row execute function twelvefold_refuse_commit();
