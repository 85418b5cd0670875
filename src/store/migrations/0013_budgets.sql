-- Budgets: what is spent and what is reserved by calls under way. Limits are given with each reservation, so that a
-- changed limit holds at once.

create table miyabi.budgets (
  -- Whose and when, e.g. `key:K3 day:2026-11-21`, `all month:2026-11`, `task:T12`.
  account text primary key,
  -- USD × 10⁻⁶
  spent_micros bigint not null default 0,
  reserved_micros bigint not null default 0,
  -- When the warning was given; once per account.
  warned_at timestamptz
);

create table miyabi.budget_reservations (
  call_id uuid primary key,
  accounts text[] not null,
  micros bigint not null,
  -- Renewed by the process that makes the call; what a dead one reserved is free again after this.
  expires_at timestamptz not null
);
create index budget_reservations_expiry on miyabi.budget_reservations (expires_at);

-- What the budgets were charged with; differs from the cost where that is not known exactly.
alter table miyabi.model_calls add column charged_micros bigint;

-- Every function below locks the accounts it touches in the order of their names, so that they never wait for one another.

-- Reserves for several calls, each with all of its accounts or with none. `batch`: [{call, micros, wants: [{account, limit}]}].
-- A call is refused where an account has nothing left; the last one that gets through may go beyond the limit by itself.
create function miyabi.reserve_budgets(batch jsonb, lease_ms float8)
returns table (call_id uuid, refused_by text, spent_micros bigint, reserved_micros bigint)
language plpgsql as $$
declare
  one record;
begin
  insert into miyabi.budgets (account)
    select distinct w.account
    from jsonb_to_recordset(batch) as b (wants jsonb), jsonb_to_recordset(b.wants) as w (account text)
    order by 1
    on conflict do nothing;
  perform 1 from miyabi.budgets a
    where a.account in (
      select w.account from jsonb_to_recordset(batch) as b (wants jsonb), jsonb_to_recordset(b.wants) as w (account text))
    order by a.account for update;
  for one in select * from jsonb_to_recordset(batch) as b (call uuid, micros bigint, wants jsonb) loop
    call_id := one.call;
    refused_by := null; spent_micros := null; reserved_micros := null;
    -- Asked for again after a lost answer.
    if not exists (select 1 from miyabi.budget_reservations r where r.call_id = one.call) then
      select a.account, a.spent_micros, a.reserved_micros into refused_by, spent_micros, reserved_micros
        from jsonb_to_recordset(one.wants) as w (account text, "limit" bigint)
        join miyabi.budgets a on a.account = w.account
        where a.spent_micros + a.reserved_micros >= w."limit"
        order by a.spent_micros >= w."limit" desc, a.account
        limit 1;
      if refused_by is null then
        insert into miyabi.budget_reservations (call_id, accounts, micros, expires_at)
          select one.call, array_agg(w.account), one.micros, now() + lease_ms * interval '1 millisecond'
          from jsonb_to_recordset(one.wants) as w (account text);
        update miyabi.budgets a set reserved_micros = a.reserved_micros + one.micros
          where a.account in (select w.account from jsonb_to_recordset(one.wants) as w (account text));
      end if;
    end if;
    return next;
  end loop;
end $$;

-- Gives back what calls have reserved, where they still have.
create function miyabi.release_budgets(calls uuid[]) returns void
language plpgsql as $$
begin
  perform 1 from miyabi.budgets a
    where a.account in (select unnest(r.accounts) from miyabi.budget_reservations r where r.call_id = any (calls))
    order by a.account for update;
  with gone as (
    delete from miyabi.budget_reservations r where r.call_id = any (calls) returning r.accounts, r.micros
  ), sums as (
    select x.account, sum(gone.micros) as micros from gone, unnest(gone.accounts) as x (account) group by 1
  )
  update miyabi.budgets a set reserved_micros = a.reserved_micros - sums.micros
    from sums where a.account = sums.account;
end $$;

-- Charges calls that have ended and gives back what they had reserved. `batch`: [{call, micros, wants: [{account, warn}]}].
-- Gives the accounts that have passed the sum `warn` now.
create function miyabi.settle_budgets(batch jsonb) returns table (account text, spent_micros bigint)
language plpgsql as $$
begin
  insert into miyabi.budgets (account)
    select distinct w.account
    from jsonb_to_recordset(batch) as b (wants jsonb), jsonb_to_recordset(b.wants) as w (account text)
    order by 1
    on conflict do nothing;
  perform 1 from miyabi.budgets a
    where a.account in (
      select w.account from jsonb_to_recordset(batch) as b (wants jsonb), jsonb_to_recordset(b.wants) as w (account text)
      union
      select unnest(r.accounts) from miyabi.budget_reservations r
        where r.call_id in (select b.call from jsonb_to_recordset(batch) as b (call uuid)))
    order by a.account for update;
  perform miyabi.release_budgets(array(select b.call from jsonb_to_recordset(batch) as b (call uuid)));
  return query
    with sums as (
      select w.account, sum(b.micros) as micros, min(w.warn) as warn
      from jsonb_to_recordset(batch) as b (micros bigint, wants jsonb),
        jsonb_to_recordset(b.wants) as w (account text, warn bigint)
      group by 1
    ), charged as (
      update miyabi.budgets a set
        spent_micros = a.spent_micros + sums.micros,
        warned_at = case when a.warned_at is null and a.spent_micros + sums.micros >= sums.warn then now() else a.warned_at end
      from sums where a.account = sums.account
      returning a.account, a.spent_micros, a.warned_at
    )
    select charged.account, charged.spent_micros from charged where charged.warned_at = now();
end $$;
