-- When jobs are due next. A schedule that is another than the configured one does not count.
CREATE TABLE job_times (
  service TEXT NOT NULL,
  job TEXT NOT NULL,
  schedule TEXT NOT NULL,
  next_at BIGINT NOT NULL,
  PRIMARY KEY (service, job)
);
-- Runs of jobs: waiting, running, and for two weeks what became of them. slot is the same for all runs of a job that have
-- not ended, so that there is one at most; else the run's id.
CREATE TABLE job_runs (
  id TEXT NOT NULL PRIMARY KEY,
  service TEXT NOT NULL,
  job TEXT NOT NULL,
  slot TEXT NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  node TEXT NOT NULL,
  error TEXT NOT NULL
);
CREATE UNIQUE INDEX job_runs_slot ON job_runs (slot);
CREATE INDEX job_runs_job ON job_runs (service, job, id);
CREATE INDEX job_runs_state ON job_runs (state, id);
CREATE INDEX job_runs_ended ON job_runs (ended_at);
