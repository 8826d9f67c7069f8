"""What a name is: of a plugin's task or model, a suite, a study, a claim."""

NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
"""Lower-case words and numbers joined by hyphens, as a regular expression of the whole."""
