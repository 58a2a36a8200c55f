-- One row per head of the model and metric of heads: its value with the 95 % interval.
select
    title as metric,
    layer,
    head,
    label,
    value,
    low,
    high
from head_metric
join metric using (metric)
join head_label using (model_key, layer, head)
where model_key = $model_key
    and chosen
    and value is not null
order by metric.position, value desc, layer, head
