-- One row per head of the model that two methods, or two numbers of picks, label differently.
select
    layer,
    head,
    count(distinct label) as labels,
    string_agg(distinct label || ' (' || method || ')', ', ' order by label || ' (' || method || ')') as given
from head_label
where model_key = $model_key
group by layer, head
having count(distinct label) > 1
order by labels desc, layer, head
