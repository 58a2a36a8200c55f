-- One row: the image set of this bundle.
select *
from image_set
