"""What is measured about segments: each file takes planned segments to a frame, in as few queries as it can."""
