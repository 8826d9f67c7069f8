"""Paper studies: their grids trained, their figures drawn, their claims judged and reported."""
