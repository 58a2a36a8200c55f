-- One row per image of image_ids, by image_id.
select
    image.image_id,
    (select min(path) from image_file where image_file.image_id = image.image_id) as path,
    (select count(*) from image_file where image_file.image_id = image.image_id) as files,
    image.width,
    image.height,
    (
        select string_agg(attribute || ': ' || value, ', ' order by attribute, value)
        from image_attribute
        where image_attribute.image_id = image.image_id
    ) as attributes
from image
where image.image_id in (select unnest($image_ids::varchar[]))
order by image.image_id
