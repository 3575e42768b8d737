"""From an experiment's settings to pools that are ready: data sets, feature vectors, what has changed since."""
