-- What was tried for a call before another target answered, or none.

alter table miyabi.model_calls
  -- [{provider, model, status, error}], in order; null: the first try answered.
  add column tried jsonb;
