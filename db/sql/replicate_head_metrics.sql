-- One row per head and metric of one model with replicates: its values in all replicates, in order.
select
    layer,
    head,
    metric,
    list(coalesce(value, 'nan'::double) order by replicate) as replicates
from replicate_head_metric
where model_key = $model_key
group by layer, head, metric
order by layer, head, metric
