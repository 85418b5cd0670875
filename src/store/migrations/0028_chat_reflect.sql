-- Whether answers of a thread are drafted, criticised and written anew by the gateway.
alter table miyabi.chat_threads add column reflect boolean not null default false;
