"""Submissions measured, compared and ranked."""
