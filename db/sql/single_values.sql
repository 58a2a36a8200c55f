-- One row per image with exactly one value of an attribute: the value.
select
    image_id,
    any_value(value) as value
from image_attribute
where attribute = $attribute
group by image_id
having count(*) = 1
order by image_id
