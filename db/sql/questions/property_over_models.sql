-- One row per model: the number of its heads with one label, and their names.
select
    model,
    count(*) as heads,
    count(*) filter (supported) as supported_heads,
    string_agg('L' || layer || '.H' || head, ' ' order by q_value, layer, head) as names
from head_label
join model using (model_key)
where chosen
    and label = $property
group by model, is_control
order by is_control, model
