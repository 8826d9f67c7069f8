"""Study files (TOML): what people write in them, and where a mistake stands."""
