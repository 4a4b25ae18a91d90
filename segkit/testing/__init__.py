"""Unit tests of segments: examples held against what a definition means, in plain Python, and examples at its boundaries."""
