-- One row per image of image_ids: its thumbnail as JPEG; null in a bundle without thumbnails.
select
    image_id,
    thumbnail
from image
where image_id in (select unnest($image_ids::varchar[]))
order by image_id
