-- To how many tokens a thread's requests are trimmed; null: not at all.
alter table miyabi.chat_threads add column trim_tokens int check (trim_tokens between 1024 and 8192 and trim_tokens % 256 = 0);
