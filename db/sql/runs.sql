-- One row per model and stage: how and when it was computed, in order of time.
select *
from run
order by started_at, model_key, stage
