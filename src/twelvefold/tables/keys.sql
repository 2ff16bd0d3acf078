-- Keys, for every SQL database: `keys.py` writes ?1 as $1 where that is the dialect.

-- name: add_key
insert into twelvefold_keys (id, name, secret, created_at, tenant, scopes, person, once, expires_at)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) returning id;

-- name: key
select id, name, secret, created_at, tenant, scopes, person, once, former, former_until, expires_at, revoked_at, used_at
from twelvefold_keys where id = ?1;

-- name: keys_of_all
select id, name, secret, created_at, tenant, scopes, person, once, former, former_until, expires_at, revoked_at, used_at
from twelvefold_keys where once = 0 order by created_at, id;

-- name: keys_of_tenant
select id, name, secret, created_at, tenant, scopes, person, once, former, former_until, expires_at, revoked_at, used_at
from twelvefold_keys where once = 0 and tenant = ?1 order by created_at, id;

-- name: any_key
select 1 from twelvefold_keys where once = 0 limit 1;

-- name: rotate_key
update twelvefold_keys set former = secret, former_until = ?3, secret = ?2
where id = ?1 and once = 0 and revoked_at is null returning id;

-- name: revoke_key
update twelvefold_keys set revoked_at = ?2 where id = ?1 and revoked_at is null returning id;

-- name: key_used
update twelvefold_keys set used_at = ?2 where id = ?1 and (used_at is null or used_at < ?2) returning id;

-- name: sweep_keys
delete from twelvefold_keys where once = 1 and expires_at < ?1 returning id;
