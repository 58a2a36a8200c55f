-- One row per image with exactly one class of an attribute (a value with a class text): the class.
select
    image_attribute.image_id,
    any_value(image_attribute.value) as value
from image_attribute
semi join class_text using (attribute, value)
where image_attribute.attribute = $attribute
group by image_attribute.image_id
having count(*) = 1
order by image_attribute.image_id
