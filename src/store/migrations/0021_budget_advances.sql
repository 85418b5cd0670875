-- Advances: a process reserves for many calls at once and hands that out by itself. An advance is a reservation like a
-- call's, under an id of its own.

-- Adds to an advance, or makes it: at most `most`, at most a `share` of what each of its accounts has left, and nothing
-- where that is below `least`. `wants`: [{account, limit}]. Gives what was added.
create function miyabi.advance_budgets(
  advance uuid, wants jsonb, most bigint, least_wanted bigint, share float8, lease_ms float8)
returns bigint
language plpgsql as $$
declare
  granted bigint;
begin
  insert into miyabi.budgets (account)
    select w.account from jsonb_to_recordset(wants) as w (account text) order by 1
    on conflict do nothing;
  perform 1 from miyabi.budgets a
    where a.account in (select w.account from jsonb_to_recordset(wants) as w (account text))
    order by a.account for update;
  select least(most, floor(min(w."limit" - a.spent_micros - a.reserved_micros) * share)::bigint) into granted
    from jsonb_to_recordset(wants) as w (account text, "limit" bigint)
    join miyabi.budgets a on a.account = w.account;
  if granted is null or granted < least_wanted or granted <= 0 then
    return 0;
  end if;
  insert into miyabi.budget_reservations as r (call_id, accounts, micros, expires_at)
    select advance, array_agg(w.account), granted, now() + lease_ms * interval '1 millisecond'
    from jsonb_to_recordset(wants) as w (account text)
    on conflict (call_id) do update set micros = r.micros + excluded.micros, expires_at = excluded.expires_at;
  update miyabi.budgets a set reserved_micros = a.reserved_micros + granted
    where a.account in (select w.account from jsonb_to_recordset(wants) as w (account text));
  return granted;
end $$;

-- Takes from advances what their calls were charged with, or what is given back. `batch`: [{advance, micros}].
create function miyabi.shrink_advances(batch jsonb) returns void
language plpgsql as $$
begin
  perform 1 from miyabi.budgets a
    where a.account in (
      select unnest(r.accounts) from miyabi.budget_reservations r
        where r.call_id in (select b.advance from jsonb_to_recordset(batch) as b (advance uuid)))
    order by a.account for update;
  with before as (
    select r.call_id, r.accounts, least(r.micros, b.micros) as micros
      from miyabi.budget_reservations r
      join jsonb_to_recordset(batch) as b (advance uuid, micros bigint) on b.advance = r.call_id
      order by r.call_id for update of r
  ), taken as (
    update miyabi.budget_reservations r set micros = r.micros - before.micros
      from before where r.call_id = before.call_id
  ), sums as (
    select x.account, sum(before.micros) as micros from before, unnest(before.accounts) as x (account) group by 1
  )
  update miyabi.budgets a set reserved_micros = a.reserved_micros - sums.micros
    from sums where a.account = sums.account;
end $$;

-- Charges calls, those alone that are among `written`, in the statement that writes them. `batch`: [{call, micros,
-- advance, wants: [{account, warn}]}], `advance` null where a call has a reservation of its own. Gives the accounts that
-- have passed the sum `warn` now.
create function miyabi.settle_calls(batch jsonb, written uuid[]) returns table (account text, spent_micros bigint)
language plpgsql as $$
declare
  charged jsonb;
  advanced jsonb;
begin
  select coalesce(jsonb_agg(one), '[]') into charged
    from jsonb_array_elements(batch) as one where (one ->> 'call')::uuid = any (written);
  if charged = '[]' then
    return;
  end if;
  return query select * from miyabi.settle_budgets(charged);
  select jsonb_agg(sums) into advanced from (
    select b.advance, sum(b.micros)::bigint as micros
    from jsonb_to_recordset(charged) as b (advance uuid, micros bigint)
    where b.advance is not null group by 1) as sums;
  if advanced is not null then
    perform miyabi.shrink_advances(advanced);
  end if;
end $$;
