-- One row per label that any head of any model was given, by method and number of picks.
select
    model_key,
    layer,
    head,
    method,
    picks,
    label
from head_label
order by model_key, layer, head, method, picks
