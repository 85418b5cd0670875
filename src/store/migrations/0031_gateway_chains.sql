-- Calls that are steps of a chain (draft, critique, final answer).

alter table miyabi.model_calls
  add column chain text,
  add column chain_step text,
  -- The call that the caller made, which is the last step.
  add column chain_of uuid;
create index model_calls_of_chain on miyabi.model_calls (chain_of) where chain_of is not null;
