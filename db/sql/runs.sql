-- One row per model and stage: its options, software and time, in order of time.
select *
from run
order by started_at, model_key, stage
