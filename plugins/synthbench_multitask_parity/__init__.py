"""Many parities, some frequent and some rare, as a plugin."""
