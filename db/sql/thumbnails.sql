-- One row per image asked for: its thumbnail as JPEG, null where thumbnails were left out.
select
    image_id,
    thumbnail
from image
where image_id in (select unnest($image_ids::varchar[]))
order by image_id
