"""fit, ask, answer, measure: the loop, and what each of its steps needs."""
