"""What `docs/trust.md` promises, tried: each room measures figures, each figure with a control that must fail."""
