-- One row per head of the model that two methods, or two numbers of picks, label differently.
select layer, head, labels, by_method as given
from label_disagreements
where model_key = $model_key
order by labels desc, layer, head
