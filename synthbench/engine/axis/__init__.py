"""The replica axis: from one replica's functions to those of a whole stack."""
