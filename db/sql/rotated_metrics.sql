-- One row per metric of one model's rotated heads and set of heads it is taken over.
select
    model.model_key,
    model.model,
    metric.metric,
    metric.title,
    metric.unit,
    metric.direction,
    metric.position,
    rotated_metric.heads_used,
    rotated_metric.value,
    rotated_metric.low,
    rotated_metric.high
from rotated_metric
join model using (model_key)
join metric using (metric)
order by
    model.is_control,
    model.model,
    model.model_key,
    metric.position,
    metric.metric,
    rotated_metric.heads_used
