-- One row per file that could not be read.
select *
from failed_image
order by path
