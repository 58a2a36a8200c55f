-- One row per label of a head of any model, by method and number of picks.
select
    model_key,
    layer,
    head,
    method,
    picks,
    label
from head_label
order by model_key, layer, head, method, picks
