-- One row per metric of one model and set of heads it is taken over.
select
    metric.metric,
    metric.title,
    metric.description,
    metric.unit,
    metric.direction,
    metric.position,
    model_metric.heads_used,
    model_metric.value,
    model_metric.low,
    model_metric.high,
    model_metric.chance
from model_metric
join metric using (metric)
where model_metric.model_key = $model_key
order by metric.position, metric.metric, model_metric.heads_used
