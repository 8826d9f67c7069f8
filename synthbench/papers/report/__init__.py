"""Reports of paper studies: a page each, in HTML and in Markdown, and a gallery of them."""
