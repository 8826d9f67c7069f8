"""Laws of measurements."""
