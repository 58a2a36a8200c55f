-- One row per model, controls last.
select *
from model
order by is_control, model, model_key
