-- What the engine asks beside Procrastinate's own statements, by name. Times are the server's, but for
-- those of timers, which are the application's.

-- name: configure
-- Jobs are the signal: what a crash of the server takes of them is made again from the rows. So nobody
-- waits for the disk here; what comes after it in the log of the server is never kept without it.
select set_config('idle_in_transaction_session_timeout', (%(idle_s)s * 1000)::int::text, false),
    set_config('synchronous_commit', 'off', false);

-- name: beat
update procrastinate_workers set last_heartbeat = now() where id = %(worker)s returning id;

-- name: fetch
-- Up to so many, each by Procrastinate's own statement, until there is none. The first may be of `first`.
with recursive taken (job, n) as (
    select procrastinate_fetch_job_v2(%(first)s::varchar[], %(worker)s), 1
    union all
    select procrastinate_fetch_job_v2(%(queues)s::varchar[], %(worker)s), n + 1
    from taken where (job).id is not null and n < %(most)s
)
select (job).id, (job).task_name, (job).args, (job).attempts, (job).queue_name from taken where (job).id is not null;

-- name: versions
-- Of the wakes of these threads; no row for one that was served.
select tenant, thread_id as id, version from twelvefold_wakes
where (tenant, thread_id) in (select * from unnest(%(tenants)s::text[], %(ids)s::text[]));

-- name: finish
-- Only jobs that are still this worker's: one may have been given to another worker meanwhile.
delete from procrastinate_jobs where id = any(%(ids)s) and worker_id = %(worker)s and status = 'doing';

-- name: mine
select id from procrastinate_jobs where worker_id = %(worker)s and status = 'doing' and queue_name = any(%(queues)s);

-- name: release
-- Jobs of this worker that it does not run (any more): no worker died of them.
update procrastinate_jobs set status = 'todo', worker_id = null
where id = any(%(ids)s) and worker_id = %(worker)s and status = 'doing';

-- name: turn
-- The same job as another one: to be tried later, or now.
update procrastinate_jobs set status = 'todo', worker_id = null, task_name = %(task)s, lock = %(lock)s,
    args = args || jsonb_build_object('tries', %(tries)s::int), scheduled_at = now() + make_interval(secs => %(delay_s)s)
where id = %(id)s and worker_id = %(worker)s and status = 'doing';

-- name: stalled
-- Jobs whose worker is silent. Who has them locked is giving them to somebody else right now.
select id, task_name, args, attempts, queue_name from procrastinate_jobs j
where status = 'doing' and queue_name = any(%(queues)s) and not exists (
    select 1 from procrastinate_workers w
    where w.id = j.worker_id and w.last_heartbeat > now() - make_interval(secs => %(stall_s)s))
for update of j skip locked;

-- name: requeue
select procrastinate_retry_job_v2(%(id)s, null, null, %(queue)s, null);

-- name: give_up
delete from procrastinate_jobs where id = %(id)s and status = 'doing';

-- name: unheard
-- Woken threads for which there is no job: it was lost, or nobody told this engine. Two questions, as each
-- of them is one pass over wakes and jobs, and both in one are all wakes times all jobs.
select tenant, thread_id as id from twelvefold_wakes w
where not exists (
    select 1 from procrastinate_jobs j
    where j.status in ('todo', 'doing') and j.lock = w.tenant || chr(31) || w.thread_id)
and not exists (
    select 1 from procrastinate_jobs j
    where j.status in ('todo', 'doing') and j.lock = w.tenant || chr(31) || w.thread_id || chr(31) || 'again')
order by version limit %(most)s for update of w skip locked;

-- name: due
select tenant, thread_id as id, key, due from twelvefold_timers t
where due <= %(now)s and not exists (
    select 1 from procrastinate_jobs j
    where j.status in ('todo', 'doing')
      and j.lock = t.tenant || chr(31) || t.thread_id || chr(31) || t.key)
order by due limit %(most)s for update of t skip locked;

-- name: timer
-- As it is now: it may have been moved or dropped since its job was made.
select due from twelvefold_timers where tenant = %(tenant)s and thread_id = %(id)s and key = %(key)s and due <= %(now)s;

-- name: next_due
select min(due) as due from twelvefold_timers where due > %(now)s;

-- name: forgotten
-- Threads with events that no advance has looked at, and nothing to wake them. Reads all threads.
select tenant, id from twelvefold_threads t
where head > parked_at and status <> 'erased' and not exists (
    select 1 from twelvefold_wakes w where w.tenant = t.tenant and w.thread_id = t.id)
order by n limit %(most)s for update of t skip locked;

-- name: wake
insert into twelvefold_wakes (tenant, thread_id, version)
values (%(tenant)s, %(id)s, nextval('twelvefold_wake_versions')) on conflict do nothing;

-- name: overdue
-- Open contacts whose deadline is over and that no timer closes.
select t.tenant, t.id, 'expire:' || c.id as key, c.deadline as due from twelvefold_contacts c
join twelvefold_threads t on t.n = c.thread
where c.outcome is null and c.deadline <= %(now)s and not exists (
    select 1 from twelvefold_timers s
    where s.tenant = t.tenant and s.thread_id = t.id and s.key = 'expire:' || c.id)
limit %(most)s;

-- name: sleepless
-- Threads that sleep, by what their lists say, and that no timer wakes.
select tenant, id from twelvefold_threads t
where status = 'waiting' and summary like '%%"timer:%%' and not exists (
    select 1 from twelvefold_timers s
    where s.tenant = t.tenant and s.thread_id = t.id and s.key like 'sleep:%%')
limit %(most)s;

-- name: logs
-- The next threads whose logs are looked through for timers that are gone.
select n, tenant, id from twelvefold_threads
where n > %(after)s and status not in ('cancelled', 'erased') order by n limit %(most)s;

-- name: timers
select tenant, thread_id as id, key from twelvefold_timers
where (tenant, thread_id) in (select * from unnest(%(tenants)s::text[], %(ids)s::text[]));

-- name: forget
-- A wake of a thread that is not there: somebody deleted it.
delete from twelvefold_wakes where tenant = %(tenant)s and thread_id = %(id)s;

-- name: bury
-- Workers that died long ago. Whoever still has a job of theirs is found by its silence.
delete from procrastinate_workers where last_heartbeat < now() - make_interval(secs => %(dead_s)s);

-- name: set_timer
insert into twelvefold_timers (tenant, thread_id, key, due) values (%(tenant)s, %(id)s, %(key)s, %(due)s)
on conflict do nothing;

-- name: tell
select pg_notify('twelvefold', 'engine');

-- name: stats
-- A worker runs as long as it says so. Those of other applications on the same tables count, too.
select (select count(*) from twelvefold_wakes) - count(distinct lock) filter (where task_name = 'twelvefold.advance') as waiting,
    count(distinct lock) filter (where task_name = 'twelvefold.advance') as under_way,
    (select count(*) from procrastinate_workers where last_heartbeat > now() - make_interval(secs => %(stall_s)s)) as workers
from procrastinate_jobs where status = 'doing' and queue_name = any(%(queues)s);

-- name: longest_wait
-- Of the threads that were woken and that nobody advances.
select tenant, thread_id as id from twelvefold_wakes w
where not exists (
    select 1 from procrastinate_jobs j
    where j.status = 'doing' and j.queue_name = any(%(queues)s) and j.lock = w.tenant || chr(31) || w.thread_id)
order by version limit 1;
