"""The laws of probes, one file per group."""
