-- One row per path of one image.
select path
from image_file
where image_id = $image_id
order by path
