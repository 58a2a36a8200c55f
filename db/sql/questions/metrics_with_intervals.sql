-- One row per model and metric: its value with the 95 % interval, chance and the range of ranks.
select
    title as metric,
    model,
    value,
    low,
    high,
    chance,
    rank_low,
    rank_high
from model_metric
join metric using (metric)
join model using (model_key)
where heads_used = 'all'
    and labels = 'offline'
order by metric.position, is_control, model
