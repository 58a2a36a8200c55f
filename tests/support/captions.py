"""Captions of scenes."""

from precompute.demo.hashing import Stream
from precompute.demo.scenes import content_of
from precompute.demo.scoring import VALUES
from precompute.demo.words import PROPERTIES, caption, one_property, some_properties


def sample_captions(count):
    for index in range(count):
        stream = Stream(5, index)
        yield caption(content_of(index, 5), stream)
        yield caption(content_of(index, 5), stream, some_properties(list(PROPERTIES), stream))
        for property_ in PROPERTIES:
            yield one_property(property_, stream.choice(VALUES[property_]), stream)
