"""Laws of suites."""
