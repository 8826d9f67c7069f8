"""Submissions trained again, in part, and held against what they claim."""
