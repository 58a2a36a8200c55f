"""Images: find them in a folder, decode them to 8-bit RGB, read them in worker processes.

The same bytes give the same result: nothing depends on the order of the file system or on the number of
workers. Knows nothing of models and databases; torch is imported only to hand over a batch.

    finding     which files of a folder may be images, in one order
    decoding    the bytes of one file: to a picture, a thumbnail, an id
    reading     many files: scan them, keep distinct images, batch their pixels
    workers     the processes that read, and what is said when one dies
    attributes  what a CSV file says of the images
    masks       pictures with two known objects, for scoring maps
"""

from precompute.images.attributes import Attribute, Attributes, read_attributes
from precompute.images.decoding import UnreadableImage, decode, image_id, read, read_bytes, thumbnail
from precompute.images.finding import ImageFile, ImagesError, Survey, find, other_kinds, survey
from precompute.images.masks import (
    MaskedPicture,
    MaskedPixels,
    mask_identity,
    masked_pixels,
    read_masks,
)
from precompute.images.reading import Failed, Found, distinct, pixel_batches, scan
from precompute.images.workers import WorkerDied

__all__ = [
    "Attribute",
    "Attributes",
    "Failed",
    "Found",
    "ImageFile",
    "ImagesError",
    "MaskedPicture",
    "MaskedPixels",
    "Survey",
    "UnreadableImage",
    "WorkerDied",
    "decode",
    "distinct",
    "find",
    "image_id",
    "mask_identity",
    "masked_pixels",
    "other_kinds",
    "pixel_batches",
    "read",
    "read_attributes",
    "read_bytes",
    "read_masks",
    "scan",
    "survey",
    "thumbnail",
]
