-- One row per head of the model: its label, the best supported first.
select
    layer,
    head,
    label,
    share,
    carrying_picks,
    p_value,
    q_value,
    supported
from head_label
where model_key = $model_key
    and chosen
order by supported desc nulls last, q_value, share desc nulls last, layer, head
