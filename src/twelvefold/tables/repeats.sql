-- Requests that may come twice, for every SQL database: ?1 becomes $1 where that is the dialect.

-- name: claim
-- When it is free: it was never there, is forgotten, or whoever worked on this very request left it.
insert into twelvefold_requests as known (tenant, key, fingerprint, owner, began, busy_until, keep_until)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
on conflict (tenant, key) do update set fingerprint = ?3, owner = ?4, busy_until = ?6, keep_until = ?7, reply = null,
    began = case when known.keep_until <= ?5 then ?5 else known.began end
where known.keep_until <= ?5 or (known.reply is null and known.busy_until <= ?5 and known.fingerprint = ?3)
returning fingerprint, owner, began, busy_until, keep_until, reply;

-- name: claimed
select fingerprint, owner, began, busy_until, keep_until, reply from twelvefold_requests where tenant = ?1 and key = ?2;

-- name: settle_claim
update twelvefold_requests set reply = ?4 where tenant = ?1 and key = ?2 and owner = ?3 and reply is null returning key;

-- name: give_up_claim
delete from twelvefold_requests where tenant = ?1 and key = ?2 and owner = ?3 and reply is null returning key;

-- name: sweep_claims
delete from twelvefold_requests where keep_until < ?1 returning key;
