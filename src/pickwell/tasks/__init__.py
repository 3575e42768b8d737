"""What a label, a loss and a metric mean: one folder a kind of task."""
