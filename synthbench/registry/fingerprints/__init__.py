"""What tells two versions of code apart."""
