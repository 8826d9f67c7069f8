"""Boards on the Hugging Face Hub: submissions as a dataset repository that anyone may read."""
