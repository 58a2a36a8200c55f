-- One row per head and metric of one model, or of one head (layer and head).
select
    head_metric.layer,
    head_metric.head,
    metric.metric,
    metric.title,
    metric.description,
    metric.unit,
    metric.direction,
    metric.position,
    head_metric.value,
    head_metric.low,
    head_metric.high
from head_metric
join metric using (metric)
where head_metric.model_key = $model_key
    and ($layer is null or head_metric.layer = $layer)
    and ($head is null or head_metric.head = $head)
order by
    head_metric.layer,
    head_metric.head,
    metric.position,
    metric.metric
