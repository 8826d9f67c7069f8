"""Submissions packed, and read without trust."""
