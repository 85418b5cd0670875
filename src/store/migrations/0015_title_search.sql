-- Single characters and pairs of neighbours of a text, in small letters: what a part of it is found by, in any language.
create function miyabi.grams(given text) returns text[] language sql immutable strict parallel safe as $$
  select coalesce(array_agg(distinct gram), '{}')
  from (select lower(given) as small) s, generate_series(1, length(small)) i, lateral (values (substr(small, i, 1)), (substr(small, i, 2))) g(gram)
$$;

alter table miyabi.tasks add column title_grams text[] not null generated always as (miyabi.grams(title)) stored;
create index tasks_title on miyabi.tasks using gin (title_grams);
