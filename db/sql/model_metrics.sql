-- One row per metric of one model, set of heads it is taken over, and kind of label.
select
    metric.metric,
    metric.title,
    metric.description,
    metric.unit,
    metric.direction,
    metric.position,
    model_metric.heads_used,
    model_metric.labels,
    model_metric.value,
    model_metric.low,
    model_metric.high,
    model_metric.chance,
    model_metric.rank_low,
    model_metric.rank_high
from model_metric
join metric using (metric)
where model_metric.model_key = $model_key
    and ($labels is null or model_metric.labels = $labels)
order by
    metric.position,
    metric.metric,
    model_metric.heads_used,
    model_metric.labels desc
