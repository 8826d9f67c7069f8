"""What will be trained, and when it is looked at."""
