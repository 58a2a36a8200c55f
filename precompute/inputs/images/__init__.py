"""The image set: lists image files, decodes them to 8-bit RGB and reads them in worker processes.

The same bytes give the same result: nothing depends on the order of the file system, on the number of
workers, or on whether images are in folders or in tars. Knows nothing of models and databases; torch is
imported only to return a batch.

    sources        the files of --images: a folder, a CSV file or tars
    files          image files of a folder, in a fixed order
    csv_list       a CSV file of paths
    webdataset     many tars as one image set
    tar_index      offsets and sidecar values of one tar
    sidecars       class, fields and caption beside an image in a tar
    class_folders  classes from folder names, and class names
    dataset        attributes of the files, joined with --metadata
    decoding       one file: its picture, thumbnail and id
    reading        many files: scan, distinct images, batches of pixels
    workers        worker processes and their errors
    attributes     attributes of images from a CSV file
    masks          pictures with two known objects, for scoring maps
    mask_values    one mask file: the pixels of its object
"""

from db.pictures import UnreadableImage, decode
from precompute.inputs.images.attributes import Attribute
from precompute.inputs.images.dataset import SourceListing, join_metadata
from precompute.inputs.images.decoding import THUMBNAIL_SHORTER, read, thumbnail
from precompute.inputs.images.files import Failed, ImageFile, ImagesError, evenly, first_three, other_kinds
from precompute.inputs.images.masks import (
    MaskedPicture,
    MaskedPixels,
    check_masks,
    mask_identity,
    masked_pixels,
    read_masks,
)
from precompute.inputs.images.reading import ScannedImage, distinct, picture_of, pixel_batches, scan
from precompute.inputs.images.sources import gather
from precompute.inputs.images.tar_index import TarIndex, index, index_from, index_text

__all__ = [
    "THUMBNAIL_SHORTER", "Attribute", "Failed", "ImageFile", "ImagesError", "MaskedPicture", "MaskedPixels",
    "ScannedImage", "SourceListing", "TarIndex", "UnreadableImage", "check_masks", "decode", "distinct",
    "evenly", "first_three", "gather", "index", "index_from", "index_text", "join_metadata", "mask_identity",
    "masked_pixels", "other_kinds", "picture_of", "pixel_batches", "read", "read_masks", "scan", "thumbnail",
]  # fmt: skip
