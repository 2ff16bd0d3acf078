-- Meters, for every SQL database: ?1 is written $1 where that is the dialect. Times are seconds since 1970.

-- name: take_turn
-- `level` is when the next turn begins: each one taken moves it by a step (?3). Nothing is taken when the
-- wait would end after ?4.
insert into twelvefold_meters (name, level) values (?1, cast(?2 as double precision) + cast(?3 as double precision))
on conflict (name) do update set level = cast(?3 as double precision)
    + case when twelvefold_meters.level > ?2 then twelvefold_meters.level else cast(?2 as double precision) end
where twelvefold_meters.level <= ?4 returning level;

-- name: spend
insert into twelvefold_meters (name, level, until) values (?1, ?2, ?3)
on conflict (name) do update set level = twelvefold_meters.level + excluded.level returning level;

-- name: spent
select level from twelvefold_meters where name = ?1;

-- name: forget_meters
delete from twelvefold_meters where until < ?1 returning name;
