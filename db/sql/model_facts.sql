-- One row per model, controls last: the facts that the manifest repeats, and the largest error.
select
    model_key,
    model,
    weights,
    weights_sha256,
    is_control,
    has_vectors,
    max_sum_error
from model
order by is_control, model, model_key
