-- One row per head of the model and other model of its architecture in which the label is another one.
select
    other_model.model as other_model,
    mine.layer,
    mine.head,
    mine.label,
    mine.supported,
    other.label as other_label,
    other.supported as other_supported
from head_label as mine
join model as my_model on my_model.model_key = mine.model_key
join model as other_model
    on other_model.architecture = my_model.architecture
    and other_model.model_key <> my_model.model_key
join head_label as other
    on other.model_key = other_model.model_key
    and other.layer = mine.layer
    and other.head = mine.head
where mine.model_key = $model_key
    and mine.chosen
    and other.chosen
    and other.label <> mine.label
order by other_model.is_control, other_model, mine.layer, mine.head
