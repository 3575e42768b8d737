"""The colours of classes: a class keeps its own by its place in the list, whatever is added after it."""

# Okabe and Ito's seven first; each that follows is, of a grid of colours neither too dark nor too pale, the one that
# lies farthest from all before it: the worst of what people see with all cones, without red, green or blue ones
# (Machado et al. 2009) counts, in OKLab.
_TABLE = """
#0072b2 #e69f00 #009e73 #cc79a7 #56b4e9 #d55e00 #f0e442 #770044 #1100bb #77ffff #9955ff #665522
#bb0077 #99cc99 #551188 #5533dd #8888dd #ffbbcc #aaffaa #006655 #334411 #bb33bb #44ddff #554499
#66dd66 #88aa66 #996644 #885599 #cc9999 #777799 #888844 #880000 #bb77ff #8811ff #114455 #ff00cc
#ccdd99 #ee88ff #ffbb00 #8822bb #bb99cc #ff0077 #4477dd #aa9900 #990077 #88bbbb #aabb55 #bb0033
"""
_COLOURS = tuple(_TABLE.split())


def colours(classes: int) -> list[str]:
    """A colour for each class, as `#rrggbb`; after 48 they come again.

    >>> colours(3)
    ['#0072b2', '#e69f00', '#009e73']
    """
    return [_COLOURS[place % len(_COLOURS)] for place in range(classes)]
