"""Stages 2 and 3: the train step, and runs of it that can be stopped and resumed."""
