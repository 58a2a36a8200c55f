-- One row per layer of the model and label: its number of heads.
select
    layer,
    label,
    count(*) as heads,
    count(*) filter (supported) as supported_heads
from head_label
where model_key = $model_key
    and chosen
group by layer, label
order by layer, heads desc, label
