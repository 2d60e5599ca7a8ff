"""``make first-deployment``: what nobody has seen on AWS yet, tried in a throw-away account."""
