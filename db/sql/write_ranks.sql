-- Replaces all ranks by those of the table `incoming`.
update model_metric
set rank_low = incoming.rank_low,
    rank_high = incoming.rank_high
from (
    select
        model_metric.model_key,
        model_metric.metric,
        model_metric.heads_used,
        incoming.rank_low,
        incoming.rank_high
    from model_metric
    left join incoming using (model_key, metric, heads_used)
    where model_metric.labels = 'offline'
) as incoming
where model_metric.model_key = incoming.model_key
    and model_metric.metric = incoming.metric
    and model_metric.heads_used = incoming.heads_used
    and model_metric.labels = 'offline'
