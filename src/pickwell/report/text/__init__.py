"""Every sentence and number that a report says."""
