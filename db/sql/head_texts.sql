-- One row per text that TEXTSPAN chose for one head, in the order of selection.
select
    position,
    text_id,
    text,
    properties,
    carries_label,
    variance_share,
    cumulative_share,
    margin,
    equal_norm_position,
    stability
from texts_of_head
where model_key = $model_key
    and layer = $layer
    and head = $head
order by position
