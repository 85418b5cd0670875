-- Whether answers of a thread are drafted, criticised and written anew; which of these steps is at work.
alter table miyabi.chat_threads add column reflect boolean not null default false;
alter table miyabi.chat_messages add column step text check (step in ('draft', 'critique', 'final'));
