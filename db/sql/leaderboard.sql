-- One row per model, model metric, set of heads it is taken over, and kind of label.
select
    model.model_key,
    model.model,
    model.is_control,
    model.control_of,
    model.training_data,
    model.parameters,
    model.layers,
    model.first_layer,
    model.heads,
    model.images,
    model.max_sum_error,
    metric.metric,
    metric.title,
    metric.unit,
    metric.direction,
    metric.position,
    model_metric.heads_used,
    model_metric.labels,
    model_metric.value,
    model_metric.low,
    model_metric.high,
    model_metric.chance,
    case when one_rule.metric is not null then model_metric.rank_low end as rank_low,
    case when one_rule.metric is not null then model_metric.rank_high end as rank_high
from model_metric
join model using (model_key)
join metric using (metric)
left join (
    select metric, heads_used, labels
    from model_metric
    join model using (model_key)
    where rank_low is not null
    group by metric, heads_used, labels
    having count(distinct label_rule) = 1
) as one_rule using (metric, heads_used, labels)
where ($model_key is null or model_metric.model_key = $model_key)
    and ($heads_used is null or model_metric.heads_used = $heads_used)
    and ($labels is null or model_metric.labels = $labels)
order by
    model.is_control,
    model.model,
    model.model_key,
    metric.position,
    metric.metric,
    model_metric.heads_used,
    model_metric.labels desc
