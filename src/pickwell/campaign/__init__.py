"""One labelling effort on disk: its directory, its settings, what it was told and what its rounds left behind."""
