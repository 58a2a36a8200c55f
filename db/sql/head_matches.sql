-- One row per head of one model that is paired with a head of another model, with the labels of both.
with both_ways as (
    select * from head_match
    union all by name
    select
        other_model_key as model_key,
        model_key as other_model_key,
        other_layer as layer,
        other_head as head,
        layer as other_layer,
        head as other_head,
        * exclude (model_key, other_model_key, layer, head, other_layer, other_head)
    from head_match
)
select
    pair.layer,
    pair.head,
    pair.other_layer,
    pair.other_head,
    pair.cka,
    pair.control_cka,
    pair.control_p,
    pair.shuffled_p,
    pair.exceeds,
    pair.overlap,
    pair.median_angle,
    mine.label,
    coalesce(mine.supported, false) as supported,
    theirs.label as other_label,
    coalesce(theirs.supported, false) as other_supported
from both_ways as pair
left join head_label as mine
    on mine.model_key = pair.model_key
    and mine.layer = pair.layer
    and mine.head = pair.head
    and mine.chosen
left join head_label as theirs
    on theirs.model_key = pair.other_model_key
    and theirs.layer = pair.other_layer
    and theirs.head = pair.other_head
    and theirs.chosen
where pair.model_key = $model_key
    and pair.other_model_key = $other_model_key
    and pair.pairing = $pairing
order by pair.layer, pair.head
