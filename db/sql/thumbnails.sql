-- One row per image of image_ids: its thumbnail as JPEG; null in a bundle without thumbnails, or above 1 MiB.
select
    image_id,
    case when octet_length(thumbnail) <= 1048576 then thumbnail end as thumbnail
from image
where image_id in (select unnest($image_ids::varchar[]))
order by image_id
