"""Classical searches for the support of a parity, and what each of them needs."""
