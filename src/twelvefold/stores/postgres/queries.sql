-- Every statement that the store runs, by name. `queries.py` reads this file once.

-- APPENDING ------------------------------------------------------------------------------------------

-- name: thread_for_append
-- All that the checks and the fold of one append need. The lock makes appends to one thread take turns.
select n, agent, head, epoch, chain, status, summary from twelvefold_threads where tenant = $1 and id = $2
for update;

-- name: begin_in_turn
-- For a thread that is not there yet, and so has no row to lock.
select pg_advisory_xact_lock(hashtextextended(concat_ws(chr(1), 'twelvefold', $1::text, $2::text), 0));

-- name: insert_thread
insert into twelvefold_threads
    (tenant, id, agent, parent_thread, parent_step, parent_intent, head, epoch, chain, status, summary)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning n;

-- name: update_thread
update twelvefold_threads set head = $1, epoch = $2, chain = $3, summary = $4 where n = $5;

-- name: update_thread_and_status
update twelvefold_threads set head = $1, epoch = $2, chain = $3, summary = $4, status = $5 where n = $6;

-- name: insert_event
insert into twelvefold_events (thread, seq, type, v, key, after, at, data, salt, chain)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: insert_events
-- Several at once, in one statement: a process that is frozen in a pipeline of them would keep the server
-- waiting for the next one for ever, as no timeout of a transaction runs meanwhile.
insert into twelvefold_events (thread, seq, type, v, key, after, at, data, salt, chain)
select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::bigint[], $7::text[],
    $8::text[], $9::bytea[], $10::bytea[]);

-- name: grow_by_1
-- One append in one statement, which is a transaction of its own: nothing is written unless the thread is
-- as this process left it and nobody holds it. So it waits for nothing but the disk.
with found as (
    select n from twelvefold_threads where n = $6 and head = $7 and epoch = $8 and chain = $9 and summary = $10
    for update skip locked
), grown as (
    update twelvefold_threads t set head = $1, epoch = $2, chain = $3, summary = $4, status = $5
    from found where t.n = found.n returning t.n
)
insert into twelvefold_events (thread, seq, type, v, key, after, at, data, salt, chain)
select n, $11, $12, $13, $14, $15, $16, $17, $18, $19 from grown;

-- name: grow_by_2
with found as (
    select n from twelvefold_threads where n = $6 and head = $7 and epoch = $8 and chain = $9 and summary = $10
    for update skip locked
), grown as (
    update twelvefold_threads t set head = $1, epoch = $2, chain = $3, summary = $4, status = $5
    from found where t.n = found.n returning t.n
)
insert into twelvefold_events (thread, seq, type, v, key, after, at, data, salt, chain)
select grown.n, new.* from grown, (values
    ($11::bigint, $12::text, $13::integer, $14::text, $15::bigint, $16::text, $17::text, $18::bytea, $19::bytea),
    ($20::bigint, $21::text, $22::integer, $23::text, $24::bigint, $25::text, $26::text, $27::bytea, $28::bytea)
) as new;

-- name: rest_by_1
-- The same for the last append of an advance: its wake ends, unless a newer one came.
with found as (
    select n from twelvefold_threads where n = $6 and head = $7 and epoch = $8 and chain = $9 and summary = $10
    for update skip locked
), grown as (
    update twelvefold_threads t set head = $1, epoch = $2, chain = $3, summary = $4, status = $5, parked_at = $1
    from found where t.n = found.n returning t.n
), ended as (
    delete from twelvefold_wakes w using grown where w.tenant = $20 and w.thread_id = $21 and w.version = $22
)
insert into twelvefold_events (thread, seq, type, v, key, after, at, data, salt, chain)
select n, $11, $12, $13, $14, $15, $16, $17, $18, $19 from grown;

-- name: rest_by_2
with found as (
    select n from twelvefold_threads where n = $6 and head = $7 and epoch = $8 and chain = $9 and summary = $10
    for update skip locked
), grown as (
    update twelvefold_threads t set head = $1, epoch = $2, chain = $3, summary = $4, status = $5, parked_at = $1
    from found where t.n = found.n returning t.n
), ended as (
    delete from twelvefold_wakes w using grown where w.tenant = $29 and w.thread_id = $30 and w.version = $31
)
insert into twelvefold_events (thread, seq, type, v, key, after, at, data, salt, chain)
select grown.n, new.* from grown, (values
    ($11::bigint, $12::text, $13::integer, $14::text, $15::bigint, $16::text, $17::text, $18::bytea, $19::bytea),
    ($20::bigint, $21::text, $22::integer, $23::text, $24::bigint, $25::text, $26::text, $27::bytea, $28::bytea)
) as new;

-- name: grow_together
-- The same for many threads, of which those that are as they were left grow; their numbers are returned.
-- Bytes are hex in JSON. `served` is the wake that ends with the append.
with given as (
    select * from json_to_recordset($1::text::json) as g (n bigint, head bigint, epoch bigint, chain text,
        summary text, new_head bigint, new_epoch bigint, new_chain text, new_summary text, status text, served bigint)
), found as (
    select t.n, g.new_head, g.new_epoch, g.new_chain, g.new_summary, g.status, g.served
    from given g join twelvefold_threads t on t.n = g.n
    where t.head = g.head and t.epoch = g.epoch and t.chain = decode(g.chain, 'hex') and t.summary = g.summary
    for update of t skip locked
), grown as (
    update twelvefold_threads t set head = f.new_head, epoch = f.new_epoch, chain = decode(f.new_chain, 'hex'),
        summary = f.new_summary, status = f.status,
        parked_at = case when f.served is null then t.parked_at else f.new_head end
    from found f where t.n = f.n returning t.n, t.tenant, t.id, f.served
), ended as (
    delete from twelvefold_wakes w using grown g
    where w.tenant = g.tenant and w.thread_id = g.id and w.version = g.served
), added as (
    insert into twelvefold_events (thread, seq, type, v, key, after, at, data, salt, chain)
    select e.thread, e.seq, e.type, e.v, e.key, e.after, e.at, e.data, decode(e.salt, 'hex'), decode(e.chain, 'hex')
    from json_to_recordset($2::text::json) as e (thread bigint, seq bigint, type text, v integer, key text,
        after bigint, at text, data text, salt text, chain text)
    join grown on grown.n = e.thread
)
select n from grown;

-- name: begin_together
-- Threads that begin with a wake. Whose name is being used, or was, does not begin: nothing waits here.
with given as materialized (
    select * from json_to_recordset($1::text::json) as g (tenant text, id text, agent text, parent_thread text,
        parent_step text, parent_intent text, head bigint, epoch bigint, chain text, status text, summary text)
    where pg_try_advisory_xact_lock(hashtextextended(concat_ws(chr(1), 'twelvefold', g.tenant, g.id), 0))
), begun as (
    insert into twelvefold_threads
        (tenant, id, agent, parent_thread, parent_step, parent_intent, head, epoch, chain, status, summary)
    select tenant, id, agent, parent_thread, parent_step, parent_intent, head, epoch, decode(chain, 'hex'), status, summary
    from given on conflict (tenant, id) do nothing returning n, tenant, id
), added as (
    insert into twelvefold_events (thread, seq, type, v, key, after, at, data, salt, chain)
    select b.n, e.seq, e.type, e.v, e.key, e.after, e.at, e.data, decode(e.salt, 'hex'), decode(e.chain, 'hex')
    from json_to_recordset($2::text::json) as e (tenant text, id text, seq bigint, type text, v integer, key text,
        after bigint, at text, data text, salt text, chain text)
    join begun b on b.tenant = e.tenant and b.id = e.id
), woken as (
    insert into twelvefold_wakes (tenant, thread_id, version)
    select tenant, id, nextval('twelvefold_wake_versions') from begun
    on conflict (tenant, thread_id) do update set version = excluded.version
)
select n, tenant, id, pg_notify('twelvefold', $3) from begun;

-- name: event_by_key
select seq, type, data, at, key, after, v from twelvefold_events where thread = $1 and key = $2;

-- name: types_after
-- What came after the head that a decision or an answer saw.
select type from twelvefold_events where thread = $1 and seq > $2;

-- READING --------------------------------------------------------------------------------------------

-- name: thread_as_it_is
-- What an append would find, without the lock: for who is about to grow the thread.
select n, agent, head, epoch, chain, status, summary from twelvefold_threads where tenant = $1 and id = $2;

-- name: whole_thread
-- In one statement, for one round trip: the thread's own columns beside each of its events.
select t.agent, t.parent_thread, t.parent_step, t.parent_intent, e.seq, e.type, e.data, e.at, e.key, e.after, e.v
from twelvefold_threads t left join twelvefold_events e on e.thread = t.n
where t.tenant = $1 and t.id = $2 order by e.seq;

-- name: thread_head
select agent, parent_thread, parent_step, parent_intent from twelvefold_threads where tenant = $1 and id = $2;

-- name: events_after
select e.seq, e.type, e.data, e.at, e.key, e.after, e.v from twelvefold_events e
where e.thread = (select n from twelvefold_threads where tenant = $1 and id = $2) and e.seq > $3
order by e.seq;

-- name: thread_epoch
select epoch from twelvefold_threads where tenant = $1 and id = $2;

-- name: thread_row
select tenant, id, agent, head, parent_thread, parent_step, parent_intent, summary from twelvefold_threads
where tenant = $1 and id = $2;

-- name: thread_number
select n from twelvefold_threads where tenant = $1 and id = $2;

-- name: list_threads
select tenant, id, agent, head, parent_thread, parent_step, parent_intent, summary from twelvefold_threads
where tenant = $1 and n < $2
order by n desc limit $3;

-- name: list_threads_of_agent
select tenant, id, agent, head, parent_thread, parent_step, parent_intent, summary from twelvefold_threads
where tenant = $1 and agent = $4 and n < $2
order by n desc limit $3;

-- name: list_threads_of_status
select tenant, id, agent, head, parent_thread, parent_step, parent_intent, summary from twelvefold_threads
where tenant = $1 and status = $4 and n < $2
  and ($5::text is null or agent = $5)
order by n desc limit $3;

-- name: ids_ending
-- Not like: ids may hold % and _. The range is what the index can find, `right` is what is meant.
select id from twelvefold_threads
where tenant = $1 and reverse(id) >= reverse($2) and reverse(id) <= reverse($2) || chr(1114111)
  and right(id, length($2)) = $2
order by n desc limit $3;

-- name: list_open_contacts
-- From the place after ($3 to $6) on. `~` stands behind every time.
select t.tenant, t.id, t.agent, c.id, c.asked_at, e.data, c.outcome, c.closed_at, null,
    coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq
from twelvefold_contacts c
join twelvefold_threads t on t.n = c.thread
join twelvefold_events e on e.thread = c.thread and e.seq = c.seq
where c.tenant = $1 and c.outcome is null
  and (coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq) > ($3, $4, $5::bigint, $6::bigint)
  and ($7::text is null or t.agent = $7) and ($8::text is null or c.risk = $8)
  and ($9::text is null or c.asks in (select json_array_elements_text($9::json)))
order by coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq limit $2;

-- name: list_contacts
select t.tenant, t.id, t.agent, c.id, c.asked_at, e.data, c.outcome, c.closed_at, null,
    coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq
from twelvefold_contacts c
join twelvefold_threads t on t.n = c.thread
join twelvefold_events e on e.thread = c.thread and e.seq = c.seq
where c.tenant = $1
  and (coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq) > ($3, $4, $5::bigint, $6::bigint)
  and ($7::text is null or t.agent = $7) and ($8::text is null or c.risk = $8)
  and ($9::text is null or c.asks in (select json_array_elements_text($9::json)))
order by coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq limit $2;

-- name: list_closed_contacts
-- A copied log's contacts are void without an event that says so.
select t.tenant, t.id, t.agent, c.id, c.asked_at, e.data, c.outcome, c.closed_at, x.data,
    c.closed_at, c.thread, c.seq
from twelvefold_contacts c
join twelvefold_threads t on t.n = c.thread
join twelvefold_events e on e.thread = c.thread and e.seq = c.seq
left join twelvefold_events x on x.thread = c.thread and x.key = 'closed:' || c.id
where c.tenant = $1 and c.outcome is not null and (c.closed_at, c.thread, c.seq) < ($3, $4::bigint, $5::bigint)
  and ($6::text is null or t.agent = $6) and ($7::text is null or c.risk = $7)
  and ($8::text is null or c.asks in (select json_array_elements_text($8::json)))
order by c.closed_at desc, c.thread desc, c.seq desc limit $2;

-- name: backlog
select t.agent, c.risk, c.asks, count(*) from twelvefold_contacts c
join twelvefold_threads t on t.n = c.thread
where c.tenant = $1 and c.outcome is null
group by t.agent, c.risk, c.asks order by t.agent, c.risk, c.asks;

-- WATCHING -------------------------------------------------------------------------------------------

-- name: mark
-- Which transactions can be seen: with each commit there is one more.
select pg_current_snapshot()::text;

-- name: heads_of
select t.tenant, t.id, t.head from json_array_elements($1::text::json) as wanted
join twelvefold_threads t on t.tenant = wanted ->> 0 and t.id = wanted ->> 1;

-- name: events_page
select e.seq, e.type, e.data, e.at, e.key, e.after, e.v from twelvefold_events e
where e.thread = (select n from twelvefold_threads where tenant = $1 and id = $2) and e.seq > $3
order by e.seq limit $4;

-- name: contacts_mark
select count(*), max(asked_at), sum(thread)::text, sum(seq)::text from twelvefold_contacts
where tenant = $1 and outcome is null;

-- name: threads_mark
select count(*), max(n), sum(head)::text from (
    select n, head from twelvefold_threads where tenant = $1 order by n desc limit $2) as newest;

-- ATTACHMENTS ----------------------------------------------------------------------------------------

-- name: keep_blob
-- The same bytes have the same name.
insert into twelvefold_blobs (tenant, sha256, size, content) values ($1, $2, $3, $4) on conflict do nothing;

-- name: blob
select content from twelvefold_blobs where tenant = $1 and sha256 = $2;

-- AUDIT ----------------------------------------------------------------------------------------------

-- name: recorded
-- One statement, so that the row of the thread and its events are of one moment.
select t.agent, t.parent_thread, t.parent_step, t.parent_intent, t.head, t.chain,
    e.seq, e.type, e.v, e.key, e.after, e.at, e.data, e.salt, e."commit", e.chain
from twelvefold_threads t
left join twelvefold_events e on e.thread = t.n
where t.tenant = $1 and t.id = $2 order by e.seq;

-- name: heads
select tenant, id, head, chain from twelvefold_threads order by n;

-- name: said
-- Reads the whole log of the tenant: the events of contacts have no index, which each append would pay for.
select t.tenant, t.id, t.agent, e.seq, e.type, e.key, e.at, e.data
from twelvefold_threads t
join twelvefold_events e on e.thread = t.n
where t.tenant = $1 and ($2::text is null or t.id = $2) and e.type in ('contact_requested', 'contact_answered', 'answer_refused', 'contact_closed', 'contact_voided',
    'contact_reassigned', 'contact_escalated', 'erased', 'forked', 'imported')
order by e.at, t.n, e.seq;

-- name: to_erase
-- Who erased before, and why, stays.
select seq, data, salt from twelvefold_events
where thread = $1 and seq <= $2 and data is not null and type <> 'erased';

-- name: erase_event
update twelvefold_events set data = null, salt = null, "commit" = $1 where thread = $2 and seq = $3;

-- name: erase_events
update twelvefold_events e set data = null, salt = null, "commit" = erased.committed
from unnest($1::bytea[], $2::bigint[], $3::bigint[]) as erased (committed, thread, seq)
where e.thread = erased.thread and e.seq = erased.seq;

-- name: forget_contacts
delete from twelvefold_contacts where thread = $1 and seq <= $2;

-- name: drop_blob
-- Unless another event still names it. The whole log of the tenant is looked through, for each attachment.
delete from twelvefold_blobs where tenant = $1 and sha256 = $2 and not exists (
    select 1 from twelvefold_events e join twelvefold_threads t on t.n = e.thread
    where t.tenant = $1 and strpos(e.data, $2) > 0);

-- PROJECTIONS ----------------------------------------------------------------------------------------

-- name: open_contact
insert into twelvefold_contacts (thread, tenant, id, seq, asked_at, deadline, risk, asks)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (thread, id) do update set seq = excluded.seq, asked_at = excluded.asked_at,
    deadline = excluded.deadline, risk = excluded.risk, asks = excluded.asks, outcome = null,
    closed_at = null;

-- name: move_contact
-- It was asked of others: the event that says so repeats the request.
update twelvefold_contacts set seq = $1, deadline = $2, risk = $3, asks = $4
where thread = $5 and id = $6 and outcome is null;

-- name: close_contact
update twelvefold_contacts set outcome = $1, closed_at = $2 where thread = $3 and id = $4 and outcome is null;

-- name: void_contacts
-- A copied log: its open contacts are answered where they were asked, never here.
update twelvefold_contacts set outcome = 'voided', closed_at = $1 where thread = $2 and outcome is null;

-- name: all_threads
select n, tenant, id from twelvefold_threads order by n;

-- name: derived_threads
-- What `rebuild` is about to replace, and then has replaced.
select n, tenant, id, status, summary from twelvefold_threads;

-- name: derived_contacts
select thread, id, seq, asked_at, deadline, risk, asks, outcome, closed_at from twelvefold_contacts order by thread, id;

-- name: replace_summary
update twelvefold_threads set summary = $1, status = $2 where n = $3;

-- name: delete_contacts
delete from twelvefold_contacts;

-- name: stop_appends
-- Until the transaction ends, so that what is derived is not outrun. Reading goes on.
lock table twelvefold_threads in share row exclusive mode;

-- THE EMBEDDED ENGINE --------------------------------------------------------------------------------

-- name: wake
-- A wake that was there gets a new version. Listeners hear of it when the transaction commits.
with woken as (
    insert into twelvefold_wakes (tenant, thread_id, version)
    values ($1, $2, nextval('twelvefold_wake_versions'))
    on conflict (tenant, thread_id) do update set version = excluded.version
)
select pg_notify('twelvefold', $3);

-- name: end_wake
-- An advance left nothing to do; a newer wake stays. The append holds the row of the thread already.
with parked as (
    update twelvefold_threads set parked_at = head where tenant = $1 and id = $2
)
delete from twelvefold_wakes where tenant = $1 and thread_id = $2 and version = $3;

-- name: set_timer
with timer as (
    insert into twelvefold_timers (tenant, thread_id, key, due) values ($1, $2, $3, $4)
    on conflict (tenant, thread_id, key) do update set due = excluded.due
)
select pg_notify('twelvefold', $5);

-- name: cancel_timer
delete from twelvefold_timers where tenant = $1 and thread_id = $2 and key = $3;

-- name: woken
select tenant, thread_id, version from twelvefold_wakes order by version;

-- name: due
select tenant, thread_id, key, due from twelvefold_timers where due <= $1 order by due, tenant, thread_id, key;

-- name: armed
-- The timers of the store itself.
select tenant, thread_id, key, due from twelvefold_timers where thread_id = '' order by due, tenant, key;

-- name: next_due
select min(due) from twelvefold_timers;

-- name: listen
listen twelvefold;

-- name: try_runner_lock
-- The lock ends with its connection, however that ends. One lock per log: the table is part of its name. Whoever
-- gets it is named; null: somebody else has it.
select case when pg_try_advisory_lock($1::bigint << 32 | 'twelvefold_threads'::regclass::oid::bigint)
    then set_config('application_name', $2, false) end;

-- name: try_shared_runner_lock
-- Held beside others of the same kind, and never beside the one above.
select case when pg_try_advisory_lock_shared($1::bigint << 32 | 'twelvefold_threads'::regclass::oid::bigint)
    then set_config('application_name', $2, false) end;

-- name: end_shared_runner_lock
select pg_advisory_unlock_shared($1::bigint << 32 | 'twelvefold_threads'::regclass::oid::bigint),
    set_config('application_name', $2, false);

-- name: end_runner_lock
select pg_advisory_unlock($1::bigint << 32 | 'twelvefold_threads'::regclass::oid::bigint),
    set_config('application_name', $2, false);

-- name: runner
-- What the holder of the lock calls itself.
select a.application_name from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.classid = $1::bigint::oid
  and l.objid = 'twelvefold_threads'::regclass
  and l.database = (select oid from pg_database where datname = current_database());

-- TRANSACTIONS OF OTHERS -----------------------------------------------------------------------------

-- name: identity
-- Which log a connection sees: null in a database, or behind a search_path, that has none.
select pg_postmaster_start_time()::text, current_database()::text, to_regclass('twelvefold_threads')::oid::bigint;

-- name: limit_transaction
-- No transaction of a tool may be forgotten: the server ends it.
select set_config('idle_in_transaction_session_timeout', $1, true), set_config('statement_timeout', $1, true);

-- name: lend
insert into twelvefold_loans default values returning id;

-- name: give_back
-- None is there when the tool has ended the transaction and this is another one.
delete from twelvefold_loans where id = $1 returning id;

-- SCHEMA ---------------------------------------------------------------------------------------------

-- name: configure
-- Of every connection. What is acknowledged must be on disk, whatever the server's default is. A process
-- that is frozen in a transaction must not hold its threads for ever: the server ends it.
select set_config('lock_timeout', $1, false),
       set_config('idle_in_transaction_session_timeout', $1, false),
       set_config('synchronous_commit', coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on'), false);

-- name: encoding
show server_encoding;

-- name: migration_lock
-- Until the transaction ends. 8 letters as a number.
select pg_advisory_xact_lock(8390045739205453924);

-- name: has_migrations
select 1 where to_regclass('twelvefold_migrations') is not null;

-- name: schema_version
select coalesce(max(number), 0) from twelvefold_migrations;

-- name: record_migration
insert into twelvefold_migrations (number, name, applied_at) values ($1, $2, $3);

-- name: now
select clock_timestamp();

-- name: size
-- Of all that is ours, indexes included.
select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c
where c.relkind = 'r' and c.relname like 'twelvefold\_%' and pg_table_is_visible(c.oid);

-- name: unwritable
-- Tables of the log and of its queue in which this user may not do all that a worker does.
select c.relname from pg_class c
where c.relkind = 'r' and (c.relname like 'twelvefold\_%' or c.relname like 'procrastinate\_%')
  and c.relname <> 'twelvefold_migrations' and pg_table_is_visible(c.oid)
  and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
    and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))
order by c.relname;

-- name: count_threads
select count(*) from twelvefold_threads;

-- name: count_events
select count(*) from twelvefold_events;

-- name: count_open_contacts
select count(*) from twelvefold_contacts where outcome is null;

-- name: count_wakes
select count(*) from twelvefold_wakes;

-- name: count_timers
select count(*) from twelvefold_timers;
