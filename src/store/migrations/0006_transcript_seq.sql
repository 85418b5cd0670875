-- Items of a run's transcript from the first on without a gap: what its host was told is stored. Counted on with each
-- report, so that a report costs the same however long the transcript is.
alter table miyabi.runs add column transcript_seq int not null default 0;
