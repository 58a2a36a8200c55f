-- One row per image: its picture, path and attributes; of many images the first hundred.
select
    thumbnail,
    path,
    attributes,
    width,
    height
from image
join (
    select
        image_id,
        min(path) as path
    from image_file
    group by image_id
) using (image_id)
left join (
    select
        image_id,
        string_agg(attribute || ': ' || value, ', ' order by attribute, value) as attributes
    from image_attribute
    group by image_id
) using (image_id)
order by path
limit 100
