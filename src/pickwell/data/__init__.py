"""The pool: where the images are, which of them can be read, and how they become arrays.

`images` and `augment` need torch; every other module here works without it, for the labelling page's sake.
"""
