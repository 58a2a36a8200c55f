-- One row per offline metric of a trained model and set of heads: the value, and its replicates in order.
select
    model_metric.model_key,
    model.label_rule,
    model_metric.metric,
    model_metric.heads_used,
    model_metric.value,
    list(coalesce(replicate_metric.value, 'nan'::double) order by replicate_metric.replicate) as replicates
from model_metric
join model using (model_key)
join replicate_metric using (model_key, metric, heads_used)
where model_metric.labels = 'offline'
    and not model.is_control
group by all
order by model_metric.model_key, model_metric.metric, model_metric.heads_used
