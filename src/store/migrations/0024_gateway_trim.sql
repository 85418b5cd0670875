-- What trimming did to a call's request.

alter table miyabi.model_calls
  -- Tokens out / tokens in, as the gateway counts them; null: the request was not to be trimmed.
  add column compress_ratio real,
  -- Tokens at its beginning that are the same as in the conversation's request before it.
  add column prefix_stable_tokens bigint;
