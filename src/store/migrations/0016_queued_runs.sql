-- The dispatcher asks every second which queues hold a run.
create index runs_queued on miyabi.runs (queue) where state = 'queued';
