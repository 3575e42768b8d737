import numpy as np

from pickwell.acquisition.projection import spread


def test_a_map_has_all_that_is_wanted_and_the_rest_evenly() -> None:
    assert spread(5, 10, np.array([1])).tolist() == [0, 1, 2, 3, 4]
    places = spread(1000, 50, np.array([7, 501, 999]))
    assert len(places) <= 50
    assert {7, 501, 999} <= set(places.tolist())
    assert np.diff(places).max() <= 1000 / 46 + 1
    assert (np.diff(places) > 0).all()
    assert spread(1000, 3, np.arange(1000)).tolist() == [0, 1, 2]
