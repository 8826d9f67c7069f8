"""What laws are tried with: small networks, inputs, trainings."""
