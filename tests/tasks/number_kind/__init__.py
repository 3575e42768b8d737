"""A third kind of task, as another package would bring it: a number an image."""
