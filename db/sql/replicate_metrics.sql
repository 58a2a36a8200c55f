-- One row per metric of one model and set of heads it is taken over: its values in all replicates, in order.
select
    metric,
    heads_used,
    list(coalesce(value, 'nan'::double) order by replicate) as replicates
from replicate_metric
where model_key = $model_key
group by metric, heads_used
order by metric, heads_used
