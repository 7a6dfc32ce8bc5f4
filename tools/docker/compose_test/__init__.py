"""A cluster of docker-compose.yml, run and broken as its user would."""
