"""How sure a figure is: intervals, differences and corrections, each with its source."""
