"""What is wrong with a segment or a set of them: each finding with its evidence and what to do about it."""
