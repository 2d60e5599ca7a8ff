"""What the functions and their sources stand on: requests and answers, AWS, HTTP, logs, secrets."""
