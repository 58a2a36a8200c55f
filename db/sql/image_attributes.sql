-- One row per attribute value of an image; of all images if image_ids is null.
select
    image_id,
    attribute,
    value
from image_attribute
where $image_ids is null
    or image_id in (select unnest($image_ids::varchar[]))
order by image_id, attribute, value
