-- Every statement that the store runs, by name. `queries.py` reads this file once.

-- APPENDING ------------------------------------------------------------------------------------------

-- name: thread_for_append
-- All that the checks and the fold of one append need.
select n, agent, head, epoch, chain, status, summary from twelvefold_threads where tenant = ? and id = ?;

-- name: insert_thread
insert into twelvefold_threads
    (tenant, id, agent, parent_thread, parent_step, parent_intent, head, epoch, chain, status, summary)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning n;

-- name: update_thread
-- `status` is left alone, so that its index is not written.
update twelvefold_threads set head = ?, epoch = ?, chain = ?, summary = ? where n = ?;

-- name: update_thread_and_status
update twelvefold_threads set head = ?, epoch = ?, chain = ?, summary = ?, status = ? where n = ?;

-- name: insert_event
insert into twelvefold_events (place, thread, seq, type, v, key, after, at, data, salt, chain)
values ((?1 << 32) + ?2, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: event_by_key
select seq, type, data, at, key, after, v from twelvefold_events where thread = ? and key = ?;

-- name: types_after
-- What came after the head that a decision or an answer saw.
select type from twelvefold_events where place > (?1 << 32) + ?2 and place < ((?1 + 1) << 32);

-- name: take_write_lock
-- Changes nothing. A transaction that has only read becomes one that writes, or learns that it cannot.
update twelvefold_threads set head = head where n < 0;

-- READING --------------------------------------------------------------------------------------------

-- name: thread_head
select agent, parent_thread, parent_step, parent_intent from twelvefold_threads where tenant = ? and id = ?;

-- name: events_after
select e.seq, e.type, e.data, e.at, e.key, e.after, e.v from twelvefold_threads t
join twelvefold_events e on e.place > (t.n << 32) + ?3 and e.place < ((t.n + 1) << 32)
where t.tenant = ?1 and t.id = ?2 order by e.place;

-- name: thread_epoch
select epoch from twelvefold_threads where tenant = ? and id = ?;

-- name: thread_row
select tenant, id, agent, head, parent_thread, parent_step, parent_intent, summary from twelvefold_threads
where tenant = ? and id = ?;

-- name: thread_number
select n from twelvefold_threads where tenant = ? and id = ?;

-- name: list_threads
select tenant, id, agent, head, parent_thread, parent_step, parent_intent, summary from twelvefold_threads
where tenant = ?1 and n < ?2
order by n desc limit ?3;

-- name: list_threads_of_agent
select tenant, id, agent, head, parent_thread, parent_step, parent_intent, summary from twelvefold_threads
where tenant = ?1 and agent = ?4 and n < ?2
order by n desc limit ?3;

-- name: list_threads_of_status
select tenant, id, agent, head, parent_thread, parent_step, parent_intent, summary from twelvefold_threads
where tenant = ?1 and status = ?4 and n < ?2
  and (?5 is null or agent = ?5)
order by n desc limit ?3;

-- name: ids_ending
-- substr, not like: ids may hold % and _, and case matters.
select id from twelvefold_threads where tenant = ?1 and substr(id, -length(?2)) = ?2 order by n desc limit ?3;

-- name: list_open_contacts
-- From the place after (?3 to ?6) on. `~` stands behind every time.
select t.tenant, t.id, t.agent, c.id, c.asked_at, e.data, c.outcome, c.closed_at, null,
    coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq
from twelvefold_contacts c
join twelvefold_threads t on t.n = c.thread
join twelvefold_events e on e.place = (c.thread << 32) + c.seq
where c.tenant = ?1 and c.outcome is null
  and (coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq) > (?3, ?4, ?5, ?6)
  and (?7 is null or t.agent = ?7) and (?8 is null or c.risk = ?8)
  and (?9 is null or c.asks in (select value from json_each(?9)))
order by coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq limit ?2;

-- name: list_contacts
select t.tenant, t.id, t.agent, c.id, c.asked_at, e.data, c.outcome, c.closed_at, null,
    coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq
from twelvefold_contacts c
join twelvefold_threads t on t.n = c.thread
join twelvefold_events e on e.place = (c.thread << 32) + c.seq
where c.tenant = ?1
  and (coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq) > (?3, ?4, ?5, ?6)
  and (?7 is null or t.agent = ?7) and (?8 is null or c.risk = ?8)
  and (?9 is null or c.asks in (select value from json_each(?9)))
order by coalesce(c.deadline, '~'), c.asked_at, c.thread, c.seq limit ?2;

-- name: list_closed_contacts
-- A copied log's contacts are void without an event that says so.
select t.tenant, t.id, t.agent, c.id, c.asked_at, e.data, c.outcome, c.closed_at, x.data,
    c.closed_at, c.thread, c.seq
from twelvefold_contacts c
join twelvefold_threads t on t.n = c.thread
join twelvefold_events e on e.place = (c.thread << 32) + c.seq
left join twelvefold_events x on x.thread = c.thread and x.key = 'closed:' || c.id
where c.tenant = ?1 and c.outcome is not null and (c.closed_at, c.thread, c.seq) < (?3, ?4, ?5)
  and (?6 is null or t.agent = ?6) and (?7 is null or c.risk = ?7)
  and (?8 is null or c.asks in (select value from json_each(?8)))
order by c.closed_at desc, c.thread desc, c.seq desc limit ?2;

-- name: backlog
select t.agent, c.risk, c.asks, count(*) from twelvefold_contacts c
join twelvefold_threads t on t.n = c.thread
where c.tenant = ? and c.outcome is null
group by t.agent, c.risk, c.asks order by t.agent, c.risk, c.asks;

-- WATCHING -------------------------------------------------------------------------------------------

-- name: mark
-- Of the connection that reads, and never writes: it changes with every commit there is.
pragma data_version;

-- name: heads_of
select t.tenant, t.id, t.head from json_each(?1) as wanted
cross join twelvefold_threads t on t.tenant = wanted.value ->> 0 and t.id = wanted.value ->> 1;

-- name: events_page
select e.seq, e.type, e.data, e.at, e.key, e.after, e.v from twelvefold_threads t
join twelvefold_events e on e.place > (t.n << 32) + ?3 and e.place < ((t.n + 1) << 32)
where t.tenant = ?1 and t.id = ?2 order by e.place limit ?4;

-- name: contacts_mark
select count(*), max(asked_at), sum(thread), sum(seq) from twelvefold_contacts where tenant = ? and outcome is null;

-- name: threads_mark
select count(*), max(n), sum(head) from (
    select n, head from twelvefold_threads where tenant = ?1 order by n desc limit ?2);

-- ATTACHMENTS ----------------------------------------------------------------------------------------

-- name: keep_blob
-- The same bytes have the same name.
insert or ignore into twelvefold_blobs (tenant, sha256, size, content) values (?, ?, ?, ?);

-- name: blob
select content from twelvefold_blobs where tenant = ? and sha256 = ?;

-- AUDIT ----------------------------------------------------------------------------------------------

-- name: recorded
-- One statement, so that the row of the thread and its events are of one moment.
select t.agent, t.parent_thread, t.parent_step, t.parent_intent, t.head, t.chain,
    e.seq, e.type, e.v, e.key, e.after, e.at, e.data, e.salt, e."commit", e.chain
from twelvefold_threads t
left join twelvefold_events e on e.place > (t.n << 32) and e.place < ((t.n + 1) << 32)
where t.tenant = ?1 and t.id = ?2 order by e.place;

-- name: heads
select tenant, id, head, chain from twelvefold_threads order by n;

-- name: said
-- Reads the whole log of the tenant: the events of contacts have no index, which each append would pay for.
select t.tenant, t.id, t.agent, e.seq, e.type, e.key, e.at, e.data
from twelvefold_threads t
join twelvefold_events e on e.place > (t.n << 32) and e.place < ((t.n + 1) << 32)
where t.tenant = ?1 and (?2 is null or t.id = ?2) and e.type in ('contact_requested', 'contact_answered', 'answer_refused', 'contact_closed', 'contact_voided',
    'contact_reassigned', 'contact_escalated', 'erased', 'forked', 'imported')
order by e.at, t.n, e.seq;

-- name: to_erase
-- Who erased before, and why, stays.
select seq, data, salt from twelvefold_events
where place > (?1 << 32) and place <= (?1 << 32) + ?2 and data is not null and type <> 'erased';

-- name: erase_event
update twelvefold_events set data = null, salt = null, "commit" = ?1 where place = (?2 << 32) + ?3;

-- name: forget_contacts
delete from twelvefold_contacts where thread = ? and seq <= ?;

-- name: drop_blob
-- Unless another event still names it. The whole log of the tenant is looked through, for each attachment.
delete from twelvefold_blobs where tenant = ?1 and sha256 = ?2 and not exists (
    select 1 from twelvefold_events e join twelvefold_threads t on t.n = e.thread
    where t.tenant = ?1 and instr(e.data, ?2) > 0);

-- name: rewrite_file
-- Pages keep what was deleted, or was once in a row, until something else is written there.
vacuum;

-- name: empty_wal
-- Its frames are older copies of pages. The first column says whether a reader was in the way.
pragma wal_checkpoint(truncate);

-- PROJECTIONS ----------------------------------------------------------------------------------------

-- name: open_contact
insert or replace into twelvefold_contacts (thread, tenant, id, seq, asked_at, deadline, risk, asks)
values (?, ?, ?, ?, ?, ?, ?, ?);

-- name: move_contact
-- It was asked of others: the event that says so repeats the request.
update twelvefold_contacts set seq = ?, deadline = ?, risk = ?, asks = ?
where thread = ? and id = ? and outcome is null;

-- name: close_contact
update twelvefold_contacts set outcome = ?, closed_at = ? where thread = ? and id = ? and outcome is null;

-- name: void_contacts
-- A copied log: its open contacts are answered where they were asked, never here.
update twelvefold_contacts set outcome = 'voided', closed_at = ? where thread = ? and outcome is null;

-- name: all_threads
select n, tenant, id from twelvefold_threads order by n;

-- name: derived_threads
-- What `rebuild` is about to replace, and then has replaced.
select n, tenant, id, status, summary from twelvefold_threads;

-- name: derived_contacts
select thread, id, seq, asked_at, deadline, risk, asks, outcome, closed_at from twelvefold_contacts order by thread, id;

-- name: replace_summary
update twelvefold_threads set summary = ?, status = ? where n = ?;

-- name: delete_contacts
delete from twelvefold_contacts;

-- THE EMBEDDED ENGINE --------------------------------------------------------------------------------

-- name: wake
-- A replaced row gets a new version.
insert or replace into twelvefold_wakes (tenant, thread_id) values (?, ?);

-- name: end_wake
delete from twelvefold_wakes where tenant = ? and thread_id = ? and version = ?;

-- name: set_timer
insert or replace into twelvefold_timers (tenant, thread_id, key, due) values (?, ?, ?, ?);

-- name: cancel_timer
delete from twelvefold_timers where tenant = ? and thread_id = ? and key = ?;

-- name: woken
select tenant, thread_id, version from twelvefold_wakes order by version;

-- name: due
select tenant, thread_id, key, due from twelvefold_timers where due <= ? order by due, tenant, thread_id, key;

-- name: armed
-- The timers of the store itself.
select tenant, thread_id, key, due from twelvefold_timers where thread_id = '' order by due, tenant, key;

-- name: next_due
select min(due) from twelvefold_timers;

-- SCHEMA ---------------------------------------------------------------------------------------------

-- name: has_migrations
select 1 from sqlite_master where type = 'table' and name = 'twelvefold_migrations';

-- name: schema_version
select coalesce(max(number), 0) from twelvefold_migrations;

-- name: has_threads
select 1 from twelvefold_threads limit 1;

-- name: record_migration
insert into twelvefold_migrations (number, name, applied_at) values (?, ?, ?);

-- name: main_file
-- Of the connection that asks; empty when it is in memory.
select file from pragma_database_list where name = 'main';

-- name: data_version
-- Changes when a connection other than the asking one has committed.
pragma data_version;

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
