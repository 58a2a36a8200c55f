"""The demo world: pictures of things that people recognize, with every attribute and every mask known.

things    nouns, their categories and plurals
artwork   the artwork of a thing, natural or tinted
scenes    pictures: background, things, count, position
words     captions, prompts and vocabulary
pool      the text pool
"""
