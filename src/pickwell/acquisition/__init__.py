"""Pure functions of tensors: what is uncertain, what covers, what comes first."""
