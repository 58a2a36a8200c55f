-- One row per model, model metric, set of heads it is taken over, and kind of label.
select *
from leaderboard
where ($model_key is null or model_key = $model_key)
    and ($heads_used is null or heads_used = $heads_used)
    and ($labels is null or labels = $labels)
order by is_control, model, model_key, position, metric, heads_used, labels desc
